// Runs at the edge for every request, before the API or the pages, and for every page on its way back.
// CloudFront Functions, runtime 2.0: one file, at most 10 KB, no network, and not all of the language: no spread,
// no destructuring, no computed or shorthand names, no default values, no `?.` and `??`. Unit tests run it in Node.

const SESSION = "__Host-session";
const VARIANT = "variant";
const VARIANTS = 100;

// An ID token. Anything else in the cookie must not get into a header.
const TOKEN = /^[A-Za-z0-9_-]{1,2048}\.[A-Za-z0-9_-]{1,4096}\.[A-Za-z0-9_-]{1,1024}$/;
const API = /^\/(api|auth|webhooks)(\/|$)/;
const SIGN_IN = /^\/auth(\/|$)/;
const SOCKET = /^\/live(\/|$)/;
// Files of the build: hashed ones below /assets/, and those beside index.html. All other paths are pages.
const FILE = /^\/(assets\/.*|[^/]+\.[a-z0-9]+)$/;

function isWrite(method) {
  return method !== "GET" && method !== "HEAD" && method !== "OPTIONS";
}

function sessionToken(cookies) {
  const cookie = cookies[SESSION];
  // Two sessions: it is not known whose request it is.
  if (!cookie || cookie.multiValue || !TOKEN.test(cookie.value)) return "";
  return cookie.value;
}

function refused() {
  const problem = {
    type: "about:blank",
    title: "Forbidden",
    status: 403,
    detail: "A request with cookies that changes something needs the header x-requested-with. Send it and retry.",
  };
  return {
    statusCode: 403,
    statusDescription: "Forbidden",
    headers: { "content-type": { value: "application/problem+json" }, "cache-control": { value: "no-store" } },
    body: { encoding: "text", data: JSON.stringify(problem) },
  };
}

function onRequest(request) {
  const cookies = request.cookies || {};
  const headers = request.headers;
  const hasCookies = Object.keys(cookies).length > 0 || "cookie" in headers;
  // A browser adds cookies to the requests of other sites, but not this header.
  if (hasCookies && isWrite(request.method) && !(headers["x-requested-with"] || {}).value) return refused();

  // With cookies, only the session says who it is. Without, machines send a token of their own.
  if (hasCookies) delete headers.authorization;
  delete headers.cookie;
  if (SIGN_IN.test(request.uri)) return request; // needs its cookies

  const token = sessionToken(cookies);
  request.cookies = {};
  if (API.test(request.uri)) {
    if (token) headers.authorization = { value: "Bearer " + token };
  } else if (!SOCKET.test(request.uri) && !FILE.test(request.uri)) {
    request.uri = "/index.html";
  }
  return request;
}

// Feature flags choose by this number (flags.json): a visitor keeps the variants of the first visit.
function onResponse(request, response) {
  const type = (response.headers["content-type"] || {}).value || "";
  const known = (request.cookies || {})[VARIANT];
  if (!type.startsWith("text/html") || (known && /^\d{1,2}$/.test(known.value))) return response;
  const value = String(Math.floor(Math.random() * VARIANTS));
  response.cookies = response.cookies || {};
  response.cookies[VARIANT] = { value: value, attributes: "Path=/; Max-Age=31536000; Secure; SameSite=Lax" };
  return response;
}

function handler(event) {
  if (event.context.eventType === "viewer-response") return onResponse(event.request, event.response);
  return onRequest(event.request);
}
