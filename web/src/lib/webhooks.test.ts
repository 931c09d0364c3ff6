import { expect, test } from "vitest";
import type { Delivery, Webhook } from "../api/webhooks";
import { answerOf, DELIVERY_WORDS, sinceOf, stateOf, typesOf, WEBHOOK_WORDS, withType } from "./webhooks";

const WEBHOOK: Webhook = {
  id: "w-1",
  url: "https://shop.example/hooks",
  types: [],
  description: "",
  format: "standard",
  enabled: true,
  createdAt: "2026-11-01T08:00:00Z",
  createdBy: "user-1",
  failingSince: null,
  disabledAt: null,
  disabledReason: null,
};
const DELIVERY: Delivery = {
  messageId: "msg_1",
  type: "order.confirmed",
  timestamp: "2026-11-01T08:00:00Z",
  status: "delivered",
  attempts: 1,
  lastAttemptAt: "2026-11-01T08:00:00Z",
  httpStatus: 204,
  error: null,
  requestId: null,
  durationMs: 12,
};

test("every state has a name of its own and sentences", () => {
  for (const states of [WEBHOOK_WORDS, DELIVERY_WORDS]) {
    const all = Object.values(states);
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
    for (const { meaning } of all) expect(meaning).toMatch(/^[A-Z].*\.$/);
  }
});

test.each([
  [{}, "ok"],
  [{ failingSince: "2026-11-02T08:00:00Z" }, "failing"],
  [{ enabled: false }, "off"],
  [{ enabled: false, failingSince: "2026-11-02T08:00:00Z" }, "off"],
  [{ enabled: false, disabledReason: "gone" }, "gone"],
  [{ enabled: false, disabledReason: "failing", failingSince: "2026-11-02T08:00:00Z" }, "gaveUp"],
] satisfies [Partial<Webhook>, string][])("a webhook with %o is %s", (change, state) => {
  expect(stateOf({ ...WEBHOOK, ...change })).toBe(state);
});

test("since when it fails or is off is said in UTC", () => {
  expect(sinceOf(WEBHOOK)).toBe("–");
  expect(sinceOf({ ...WEBHOOK, failingSince: "2026-11-02T08:00:00Z" })).toContain("Failing since 2 Nov 2026");
  const off = { ...WEBHOOK, failingSince: "2026-11-02T08:00:00Z", disabledAt: "2026-11-09T08:00:00Z" };
  expect(sinceOf(off)).toContain("Off since 9 Nov 2026");
});

test.each([
  [{}, "204 in 12 ms"],
  [{ httpStatus: null, error: "timeout", durationMs: 10_000 }, "No answer in time in 10000 ms"],
  [{ httpStatus: null, error: "novel", durationMs: null }, "novel"],
  [{ httpStatus: null, durationMs: null }, "–"],
] satisfies [Partial<Delivery>, string][])("an attempt with %o came to %s", (change, text) => {
  expect(answerOf({ ...DELIVERY, ...change })).toBe(text);
});

test("no chosen type means all", () => {
  expect(typesOf(WEBHOOK)).toBe("All");
  expect(typesOf({ ...WEBHOOK, types: ["order.placed", "refund.processed"] })).toBe(
    "order.placed, refund.processed",
  );
});

test("a type is chosen once, and left out again", () => {
  expect(withType(["order.placed"], "order.placed", true)).toEqual(["order.placed"]);
  expect(withType(["order.placed"], "refund.processed", true)).toEqual(["order.placed", "refund.processed"]);
  expect(withType(["order.placed", "refund.processed"], "order.placed", false)).toEqual(["refund.processed"]);
});
