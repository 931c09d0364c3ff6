/** What webhooks and their messages are in, for people who have never read the code. */

import type { Delivery, Webhook, WebhookBody, WebhookType } from "../api/webhooks";
import { MISSING, moment } from "./format";
import type { StateWords } from "./words";

export const WEBHOOK_TYPES: Readonly<Record<WebhookType, string>> = {
  "order.placed": "an order has arrived",
  "order.confirmed": "an order is paid",
  "order.rejected": "an order cannot be filled",
  "order.cancelled": "an order is cancelled",
  "payment.processed": "a payment is settled",
  "payment.failed": "a payment is declined",
  "refund.processed": "money is given back",
  "inventory.adjusted": "somebody changed stock",
  "subscription.started": "a subscription starts",
  "subscription.changed": "a subscription changes",
  "subscription.cancelled": "a subscription ends",
};

export type WebhookState = "ok" | "failing" | "off" | "gone" | "gaveUp";

export const WEBHOOK_WORDS: Readonly<Record<WebhookState, StateWords>> = {
  ok: { name: "On", meaning: "Messages are sent." },
  failing: { name: "Failing", meaning: "Its last message was not accepted. Messages are tried for a day." },
  off: { name: "Off", meaning: "Somebody disabled it. Nothing is sent." },
  gone: { name: "Off: gone", meaning: "It answered 410, so that nothing is sent any more. Enable it again." },
  gaveUp: {
    name: "Off: failed for a week",
    meaning: "It accepted nothing for a week, so that nothing is sent any more. Enable it again.",
  },
};

export const DELIVERY_WORDS: Readonly<Record<Delivery["status"], StateWords>> = {
  waiting: { name: "Waiting", meaning: "It is sent soon, or when the webhook is called again." },
  delivered: { name: "Delivered", meaning: "The webhook has accepted it." },
  retrying: { name: "Retrying", meaning: "It was not accepted, and is tried again." },
  failed: { name: "Failed", meaning: "It was not accepted, and is not tried again." },
  dropped: { name: "Dropped", meaning: "The webhook was off. Deliver it again when it is on." },
};

const ERRORS: Readonly<Record<string, string>> = {
  timeout: "No answer in time",
  dns: "Name not found",
  address: "Address is not public",
  connection: "No connection",
  tls: "Certificate refused",
  response: "Not an HTTP answer",
};

export function stateOf({ enabled, failingSince, disabledReason }: Webhook): WebhookState {
  if (disabledReason === "gone") return "gone";
  if (disabledReason === "failing") return "gaveUp";
  if (!enabled) return "off";
  return failingSince ? "failing" : "ok";
}

/** The answer of the last attempt: a status, or why there is none. */
export function answerOf({ httpStatus, error, durationMs }: Delivery): string {
  if (httpStatus === null && error === null) return MISSING;
  const came = httpStatus === null ? (ERRORS[error ?? ""] ?? error) : String(httpStatus);
  return durationMs === null ? `${came}` : `${came} in ${durationMs} ms`;
}

export function typesOf({ types }: Webhook): string {
  return types.length === 0 ? "All" : types.join(", ");
}

/** The next message is sent there; nothing was sent to it while it was off. */
export function sinceOf({ failingSince, disabledAt }: Webhook): string {
  if (disabledAt) return `Off since ${moment(disabledAt)}`;
  return failingSince ? `Failing since ${moment(failingSince)}` : MISSING;
}

export const NEW_WEBHOOK: WebhookBody = { url: "", types: [], description: "", format: "standard" };

/** What a form shows of a webhook; types that this build does not know yet stay chosen. */
export function bodyOf({ url, types, description, format }: Webhook): WebhookBody {
  return { url, types: types as WebhookType[], description, format };
}

export function withType(types: readonly WebhookType[], type: WebhookType, isChosen: boolean): WebhookType[] {
  const others = types.filter((each) => each !== type);
  return isChosen ? [...others, type] : others;
}
