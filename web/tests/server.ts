/** The built console and a fake API at one origin, with the headers that CloudFront will send. */

import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import type { Schemas } from "../src/api/queries";
import type { Me } from "../src/api/session";
import type { Day } from "../src/lib/days";
import { csvOf } from "./csv";
import * as data from "./data";
import { FakeDatasets } from "./datasets";
import { type Answer, FakeOrganization, problem } from "./organization";
import { FakeWebhooks } from "./webhooks";

const DIST = join(import.meta.dirname, "..", "dist");
const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".map": "application/json",
  ".json": "application/json",
};
const security = (uploads: string) => ({
  "content-security-policy": `default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' ${uploads}; base-uri 'none'; form-action 'self'; frame-ancestors 'none'`,
  "x-content-type-options": "nosniff",
  "referrer-policy": "same-origin",
});

type Body = Record<string, unknown>;

interface Sent extends Pick<IncomingMessage, "headers"> {
  readonly method: string;
  readonly path: string;
  readonly body: Body;
}

async function bodyOf(request: IncomingMessage): Promise<Body> {
  let text = "";
  for await (const part of request) text += part;
  return text ? JSON.parse(text) : {};
}

/** To the rows that follow, as the server says it. */
function linkTo({ pathname, searchParams }: URL, body: { page?: { nextCursor?: string | null } }) {
  const cursor = body.page?.nextCursor;
  if (!cursor) return {};
  const query = new URLSearchParams([...searchParams].filter(([name]) => name !== "cursor"));
  query.set("cursor", cursor);
  return { link: `<${pathname}?${query}>; rel="next"` };
}

export class FakeSite {
  /** What arrived, for a test to look at. */
  readonly requests: Sent[] = [];
  readonly organization = new FakeOrganization();
  readonly webhooks = new FakeWebhooks();
  readonly datasets = new FakeDatasets();
  isSignedIn = true;
  isEmpty = false;
  flags: Record<string, { share: number; ends: Day }> = {};
  /** Files of the build that a newer one has replaced. */
  replaced: RegExp | undefined;
  canRenew = true;
  /** Answers before a session is renewed: a busy user pool. */
  busy = 0;
  providers = ["GitHub", "Google"];
  isMember = true;
  mayFound = true;
  tenantId = data.MEMBERSHIP.tenantId;
  role: "viewer" | "editor" | "admin" = "editor";
  private readonly products = data.PRODUCTS_IN_STOCK.map((product) => ({ ...product }));
  private readonly failures = new Map<string, Answer>();
  private readonly statuses = new Map<string, Schemas["Order"]["status"]>();
  private server: Server | undefined;

  fail(path: string, status: number, title: string, detail: string): void {
    this.failures.set(path, problem(status, title, detail));
  }

  mend(path: string): void {
    this.failures.delete(path);
  }

  async start(): Promise<string> {
    await this.datasets.start();
    const server = createServer(async (request, response) => {
      const address = new URL(request.url ?? "/", "http://site");
      const { method = "GET", headers } = request;
      const sent: Sent = { method, headers, path: address.pathname, body: await bodyOf(request) };
      this.requests.push(sent);
      const isApi = /^\/(api|auth)\//.test(address.pathname);
      if (isApi) {
        const { status, body } = this.answer(sent, address);
        if (status === 200 && headers.accept === "text/csv") {
          const link = linkTo(address, body as Body);
          response.writeHead(200, { "content-type": "text/csv", ...link }).end(csvOf(body as Body));
          return;
        }
        const type = status >= 400 ? "application/problem+json" : "application/json";
        response
          .writeHead(status, { "content-type": type })
          .end(body === undefined ? "" : JSON.stringify(body));
        return;
      }
      if (address.pathname === "/flags.json") {
        response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(this.flags));
        return;
      }
      const path = extname(address.pathname) ? address.pathname : "/index.html";
      const isGone = this.replaced?.test(path);
      const content = isGone ? undefined : await readFile(join(DIST, normalize(path))).catch(() => undefined);
      if (!content) response.writeHead(404).end();
      else
        response
          .writeHead(200, { ...security(this.datasets.uploadUrl), "content-type": TYPES[extname(path)] })
          .end(content);
    });
    this.server = server;
    await new Promise<void>((started) => server.listen(0, "127.0.0.1", started));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.datasets.stop();
    this.server?.closeAllConnections();
    this.server?.close();
  }

  private answer(request: Sent, { pathname, searchParams }: URL): Answer {
    if (request.method !== "GET" && !request.headers["x-requested-with"]) {
      return problem(403, "Forbidden", "The header x-requested-with is missing.");
    }
    if (pathname === "/auth/refresh") {
      if (this.busy-- > 0) return problem(503, "Service unavailable", "Retry in a few seconds.");
      this.isSignedIn = this.canRenew;
      return this.canRenew ? { status: 204 } : problem(401, "Unauthenticated", "Sign in again.");
    }
    if (pathname === "/auth/logout") {
      this.isSignedIn = this.canRenew = false;
      return { status: 200, body: { data: { logoutUrl: "/sign-in?from=pool" } } };
    }
    if (pathname === "/auth/providers") return { status: 200, body: { data: { providers: this.providers } } };
    if (!this.isSignedIn) return problem(401, "Unauthenticated", "The session has ended.");
    const failure = this.failures.get(pathname);
    if (failure) return failure;
    if (pathname === "/api/me") return { status: 200, body: { data: this.me() } };
    if (pathname === "/api/me/organization") return this.choose(request.body);
    if (pathname === "/api/organizations") return this.found(request.body);
    const ofOrganization = this.organization.answer(request.method, pathname, request.body);
    if (ofOrganization) return ofOrganization;
    const ofWebhooks = this.webhooks.answer(request.method, pathname, request.body, this.role);
    if (ofWebhooks) return ofWebhooks;
    const ofDatasets = this.datasets.answer(request.method, pathname, request.body, this.role);
    if (ofDatasets) return ofDatasets;
    if (request.method === "POST")
      return this.adjust(pathname, request.body) ?? this.command(pathname, request.body);
    const found = this.read(pathname, searchParams);
    return found
      ? { status: 200, body: { meta: data.meta(), ...found } }
      : problem(404, "Not found", "No such order.");
  }

  private me(): Me {
    if (!this.isMember) return { ...data.ME, current: null, memberships: [] };
    const memberships = data.ME.memberships.map((membership) => ({ ...membership, role: this.role }));
    const current = memberships.find(({ tenantId }) => tenantId === this.tenantId) ?? null;
    return { ...data.ME, current, memberships };
  }

  private choose({ tenantId }: Body): Answer {
    this.tenantId = String(tenantId);
    return { status: 200, body: { data: this.me() } };
  }

  private found({ name }: Body): Answer {
    if (!this.mayFound) return problem(403, "Forbidden", "Organisations are founded by the operator here.");
    this.isMember = true;
    return { status: 201, body: { data: { ...data.MEMBERSHIP, organization: name } } };
  }

  private adjust(path: string, body: Body): Answer | undefined {
    const [, sku] = /^\/api\/inventory\/([^/]+)\/adjust$/.exec(path) ?? [];
    if (!sku) return undefined;
    const found = this.products.find((product) => product.sku === sku);
    if (!found)
      return problem(404, "Not found", "Check the SKU; your organization has no product with this one.");
    const delta = Number(body.delta);
    if (found.available + delta < 0) {
      const { available, stock } = found;
      return problem(409, "Conflict", `Only ${available} of ${stock} units are available; take fewer.`);
    }
    found.stock += delta;
    found.available += delta;
    const { stock, reserved, available } = found;
    const data: Schemas["StockLevels"] = { sku, stock, reserved, available, published: true };
    return { status: 200, body: { data } };
  }

  private command(path: string, { amountMinor }: Body): Answer {
    const [, id = "", command] = /^\/api\/orders\/([^/]+)\/(cancel|refund)$/.exec(path) ?? [];
    if (!command) return problem(404, "Not found", "No such route.");
    // A part that was given back leaves an order confirmed.
    if (!amountMinor) this.statuses.set(id, command === "cancel" ? "CANCELLED" : "REFUNDED");
    const request: Schemas["AcceptedRequest"] = {
      orderId: id,
      requested: command === "cancel" ? "cancellation" : "refund",
    };
    return { status: 202, body: { data: request } };
  }

  private read(path: string, query: URLSearchParams): object | undefined {
    const from = (query.get("from") ?? data.TODAY) as Day;
    const to = (query.get("to") ?? data.TODAY) as Day;
    const month = query.get("month") ?? data.THIS_MONTH;
    const basis = query.get("basis") === "subscription" ? "subscription" : "order";
    switch (path) {
      case "/api/metrics/summary":
        return { data: data.summary(from, to) };
      case "/api/metrics/mrr":
        return { data: data.mrr(month) };
      case "/api/metrics/mrr/history":
        return { data: data.mrrHistory(query.get("from") ?? month, query.get("to") ?? month) };
      case "/api/metrics/churn":
        return { data: data.churn(month) };
      case "/api/metrics/indicators":
        return { data: data.indicators(query.get("from") ?? month) };
      case "/api/metrics/mrr/movements":
        return this.movements(month, query);
      case "/api/metrics/cohorts/revenue": {
        const found = data.revenueCohorts(basis);
        return { data: this.isEmpty ? { ...found, cohorts: [] } : found };
      }
      case "/api/metrics/cohorts": {
        const found = data.cohorts(basis);
        return { data: this.isEmpty ? { ...found, cohorts: [] } : found };
      }
      case "/api/pipeline/by-region": {
        const found = data.regions(from, to);
        return { data: this.isEmpty ? { ...found, regions: [] } : found };
      }
      case "/api/pipeline/by-product": {
        const found = data.products(from, to);
        return { data: this.isEmpty ? { ...found, products: [] } : found };
      }
      case "/api/sales/by-region": {
        const found = data.regions(from, to);
        return { data: this.isEmpty ? { ...found, regions: [] } : found };
      }
      case "/api/sales/by-channel": {
        const found = data.channels(from, to);
        return { data: this.isEmpty ? { ...found, channels: [] } : found };
      }
      case "/api/sales/by-product":
        return this.productSales(from, to, query);
      case "/api/sales/last-month": {
        const found = data.lastMonth();
        return { data: this.isEmpty ? { ...found, days: [] } : found };
      }
      case "/api/inventory":
        return this.inventory(query);
      case "/api/orders":
        return this.orders(query);
      default:
        return this.order(decodeURIComponent(path.replace("/api/orders/", "")));
    }
  }

  private productSales(from: Day, to: Day, query: URLSearchParams): object {
    const limit = Number(query.get("limit") ?? 50);
    const start = Number(query.get("cursor") ?? 0);
    const found = data.productPage(from, to, query.get("sort") === "revenue" ? "revenue" : "units");
    const products = this.isEmpty ? [] : found.products;
    return {
      data: { ...found, products: products.slice(start, start + limit) },
      page: { limit, nextCursor: start + limit < products.length ? String(start + limit) : null },
    };
  }

  private movements(month: string, query: URLSearchParams): object {
    const limit = Number(query.get("limit") ?? 50);
    const start = Number(query.get("cursor") ?? 0);
    const kind = query.get("kind");
    const found = data.MOVED.filter((moved) => !this.isEmpty && (!kind || moved.kind === kind));
    const movements: Schemas["CustomerMovements"] = { month, movements: found.slice(start, start + limit) };
    return {
      data: movements,
      page: { limit, nextCursor: start + limit < found.length ? String(start + limit) : null },
    };
  }

  private inventory(query: URLSearchParams): { data: Schemas["Inventory"]; page: Schemas["Page"] } {
    const limit = Number(query.get("limit") ?? 50);
    const start = Number(query.get("cursor") ?? 0);
    const part = (query.get("search") ?? "").toLowerCase();
    const found = this.products.filter(
      ({ sku, name }) => !this.isEmpty && `${sku} ${name ?? ""}`.toLowerCase().includes(part),
    );
    const period = { from: data.TODAY, to: data.TODAY };
    const formula = "available / (units sold in the period / days of the period)";
    return {
      data: { period, formula, products: found.slice(start, start + limit) },
      page: { limit, nextCursor: start + limit < found.length ? String(start + limit) : null },
    };
  }

  private order(id: string): { data: Schemas["Order"] } | undefined {
    const found = data.ORDERS.find(({ orderId }) => orderId === id);
    return found && { data: data.order({ ...found, status: this.statuses.get(id) ?? found.status }) };
  }

  private orders(query: URLSearchParams): { data: Schemas["Orders"]; page: Schemas["Page"] } {
    const limit = Number(query.get("limit") ?? 50);
    const start = Number(query.get("cursor") ?? 0);
    const wanted = (name: string, value: string | null) => !query.has(name) || query.get(name) === value;
    const matching = data.ORDERS.filter(
      ({ status, customerId, placedAt }) =>
        !this.isEmpty &&
        wanted("status", status) &&
        wanted("customer", customerId) &&
        placedAt >= (query.get("from") ?? "") &&
        placedAt < (query.get("to") ?? "9"),
    );
    return {
      data: { orders: matching.slice(start, start + limit) },
      page: { limit, nextCursor: start + limit < matching.length ? String(start + limit) : null },
    };
  }
}
