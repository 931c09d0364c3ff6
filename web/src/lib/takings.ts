/** Revenue by currency, as every answer of the API about sales carries it. */

import type { Schemas } from "../api/queries";

export type Revenue = Schemas["Revenue"];

interface WithTakings {
  readonly takings: readonly Revenue[];
}

/** The currencies that occur, the one of most rows first. */
export function currenciesOf(rows: readonly WithTakings[]): string[] {
  const rowsOf = new Map<string, number>();
  for (const { currency } of rows.flatMap((row) => row.takings)) {
    rowsOf.set(currency, (rowsOf.get(currency) ?? 0) + 1);
  }
  return [...rowsOf]
    .sort(([a, ofA], [b, ofB]) => ofB - ofA || a.localeCompare(b))
    .map(([currency]) => currency);
}

export function takingsIn(row: WithTakings, currency: string): Revenue | undefined {
  return row.takings.find((takings) => takings.currency === currency);
}
