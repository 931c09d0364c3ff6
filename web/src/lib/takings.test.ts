import { expect, test } from "vitest";
import { currenciesOf, type Revenue, takingsIn } from "./takings";

function takings(currency: string, amountMinor: number): Revenue {
  const amount = { amountMinor, currency };
  return { currency, revenue: amount, refunded: amount, net: amount, averageOrderValue: amount };
}

const rows = [
  { takings: [takings("USD", 1)] },
  { takings: [takings("EUR", 2), takings("USD", 3)] },
  { takings: [takings("EUR", 5), takings("GBP", 4)] },
];

test("the currency of most rows comes first, then by name", () => {
  expect(currenciesOf(rows)).toEqual(["EUR", "USD", "GBP"]);
});

test("a row without a currency has none of it", () => {
  expect(takingsIn({ takings: [takings("EUR", 2)] }, "USD")).toBeUndefined();
});
