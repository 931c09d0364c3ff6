/** The webhooks of the fake API. */

import type { Schemas } from "../src/api/queries";
import { NOW } from "./data";
import { type Answer, problem } from "./organization";

const MINUTE_MS = 60_000;
const at = (minutes: number) => new Date(NOW.getTime() + minutes * MINUTE_MS).toISOString();
const ok = (data: unknown, status = 200): Answer => ({ status, body: { data } });

type Webhook = Schemas["WebhookView"];
type Delivery = Schemas["DeliveryView"];

const WEBHOOK: Webhook = {
  id: "webhook-1",
  url: "https://warehouse.northwind.example/incoming/a-path-that-is-rather-long",
  types: ["order.confirmed", "order.cancelled"],
  description: "Packing list",
  format: "standard",
  enabled: true,
  createdAt: at(-90_000),
  createdBy: "user-1",
  failingSince: null,
  disabledAt: null,
  disabledReason: null,
};

const DELIVERY: Delivery = {
  messageId: "msg_5d1f0c6a1b8e4f7d9a2b3c4d",
  type: "order.confirmed",
  timestamp: at(-3),
  status: "delivered",
  attempts: 3,
  lastAttemptAt: at(-2),
  httpStatus: 204,
  error: null,
  requestId: "req-77ab",
  durationMs: 48,
};

export class FakeWebhooks {
  webhooks: Webhook[] = [
    { ...WEBHOOK },
    {
      ...WEBHOOK,
      id: "webhook-2",
      url: "https://mail.northwind.example/",
      types: [],
      description: "",
      failingSince: at(-30),
    },
    {
      ...WEBHOOK,
      id: "webhook-3",
      url: "https://old.northwind.example/",
      enabled: false,
      disabledAt: at(-600),
      disabledReason: "gone",
    },
  ];
  deliveries: Delivery[] = [
    DELIVERY,
    {
      ...DELIVERY,
      messageId: "msg_failed",
      status: "failed",
      attempts: 9,
      httpStatus: null,
      error: "timeout",
      requestId: null,
      durationMs: 10_000,
    },
  ];

  /** The answer to a request about webhooks; undefined where it is about something else. */
  answer(method: string, path: string, body: Record<string, unknown>, role: string): Answer | undefined {
    const [isOurs, id, part, messageId] =
      /^\/api\/webhooks(?:\/([^/]+))?(?:\/(deliveries|secret|test)(?:\/([^/]+)\/redeliver)?)?$/.exec(path) ??
      [];
    if (!isOurs) return undefined;
    if (role === "viewer" || (role === "editor" && method !== "GET"))
      return problem(403, "Forbidden", "Your role may not do this.");
    if (!id) return method === "GET" ? ok({ webhooks: this.webhooks }) : this.add(body);
    const found = this.webhooks.find((webhook) => webhook.id === id);
    if (!found) return problem(404, "Not found", "Your organization has no webhook with this id.");
    if (part === "secret") return ok({ secret: "whsec_second" }, 201);
    if (part === "test") return this.queue("webhook.test", "msg_test");
    if (messageId) return this.queue("order.confirmed", messageId);
    if (part === "deliveries") return ok({ deliveries: id === WEBHOOK.id ? this.deliveries : [] });
    return method === "DELETE" ? this.remove(found) : this.change(found, body);
  }

  private add(body: Record<string, unknown>): Answer {
    if (!String(body.url).startsWith("https://")) {
      return problem(400, "Bad request", "url must be a URL that begins with https://");
    }
    const added = { ...WEBHOOK, ...body, id: `webhook-${this.webhooks.length + 1}` } as Webhook;
    this.webhooks.push(added);
    return ok({ ...added, secret: "whsec_first" }, 201);
  }

  private queue(type: string, messageId: string): Answer {
    const waiting: Delivery = { ...DELIVERY, type, messageId, status: "waiting", attempts: 0 };
    this.deliveries = [waiting, ...this.deliveries.filter((each) => each.messageId !== messageId)];
    return ok({ messageId, type }, 202);
  }

  private change(found: Webhook, body: Record<string, unknown>): Answer {
    Object.assign(found, Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null)));
    if (body.enabled === true) Object.assign(found, { disabledAt: null, disabledReason: null });
    return ok(found);
  }

  private remove(found: Webhook): Answer {
    this.webhooks = this.webhooks.filter((webhook) => webhook !== found);
    return ok({ done: true });
  }
}
