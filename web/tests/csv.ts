/** A list of the fake API as CSV, with columns named as the server names them. */

import { type CsvValue, toCsv } from "../src/lib/csv";

type Row = Record<string, unknown>;

function cells(row: Row): [string, CsvValue][] {
  return Object.entries(row).flatMap(([name, value]): [string, CsvValue][] => {
    if (Array.isArray(value)) return cells({ [name]: value[0] ?? null });
    if (value !== null && typeof value === "object")
      return cells(value as Row).map(([inner, cell]) => [`${name}.${inner}`, cell]);
    return [[name, value as CsvValue]];
  });
}

export function csvOf({ data }: { data?: Row }): string {
  const rows = (Object.values(data ?? {}).find(Array.isArray) ?? []) as Row[];
  const titles = [...new Set(rows.flatMap((row) => cells(row).map(([name]) => name)))];
  const lines = rows.map((row) => {
    const found = new Map(cells(row));
    return titles.map((title) => found.get(title) ?? null);
  });
  return toCsv(titles, lines).slice(1);
}
