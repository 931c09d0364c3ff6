/** Requests to the API: same-origin cookies, a renewed session after 401, and errors as exceptions. */

import createClient from "openapi-fetch";
import { problemOf, Unreachable } from "./problem";
import { makeRenewal } from "./renewal";
import type { paths } from "./schema";

/** Without it the edge refuses a write: another site can make a browser send cookies, but not this header. */
export const WRITE_HEADERS = { "x-requested-with": "pulsequeue-console" };

const renewSession = makeRenewal({
  post: () => fetch("/auth/refresh", { method: "POST", headers: WRITE_HEADERS }),
  locks: navigator.locks,
  wait: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  random: Math.random,
});

async function send(request: Request): Promise<Response> {
  try {
    return await fetch(request);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Unreachable();
  }
}

/** Send a request; after 401 renew the session and send it once more. Anything but 2xx is thrown. */
export async function fetchOrThrow(request: Request): Promise<Response> {
  const second = request.clone();
  let response = await send(request);
  if (response.status === 401) {
    const renewal = await renewSession().catch(() => {
      throw new Unreachable();
    });
    if (renewal === "renewed") response = await send(second);
    // The server is busy: the session may well go on.
    else if (renewal !== "over") response = renewal.clone();
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

export const api = createClient<paths, "application/json">({
  baseUrl: location.origin,
  headers: WRITE_HEADERS,
  fetch: fetchOrThrow,
});

/** What openapi-fetch returns, without the error that `fetchOrThrow` has thrown already. */
export async function body<Data>(answer: Promise<{ data?: Data }>): Promise<Data> {
  const { data } = await answer;
  if (data === undefined) throw new TypeError("The server sent an empty answer.");
  return data;
}
