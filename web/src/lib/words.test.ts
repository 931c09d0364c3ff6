import { expect, test } from "vitest";
import { ORDER_STATUSES } from "./filters";
import { FULFILLMENT_WORDS, ORDER_WORDS, PAYMENT_WORDS, reasonOf } from "./words";

test("every state has a name of its own and a sentence", () => {
  for (const states of [ORDER_WORDS, PAYMENT_WORDS, FULFILLMENT_WORDS]) {
    const all = Object.values(states);
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
    for (const { meaning } of all) expect(meaning).toMatch(/^[A-Z].*\.$/);
  }
  for (const status of ORDER_STATUSES) expect(ORDER_WORDS[status].name).toBeTruthy();
});

test("a known reason is a phrase for people, an unknown one its own words", () => {
  expect(reasonOf("reservation_expired")).toBe("Not paid in time");
  expect(reasonOf("fraud_suspected")).toBe("Fraud suspected");
  expect(reasonOf(null)).toBe("–");
});
