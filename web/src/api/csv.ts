/** CSV as the server writes it: all rows that the filters select, not only those that were shown. */

import { download } from "../lib/csv";
import { fetchOrThrow, WRITE_HEADERS } from "./client";

type Query = Readonly<Record<string, string | undefined>>;

export function csvAddress(path: `/api/${string}`, query: Query = {}): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return given.length > 0 ? `${path}?${new URLSearchParams(given)}` : path;
}

/** Where the rows that follow are; undefined after the last (RFC 8288). */
function following(response: Response): string | undefined {
  return /<([^>]+)>;\s*rel="next"/.exec(response.headers.get("link") ?? "")?.[1];
}

/** Save all rows: a response holds so many, and a link leads to the others, under the same header. */
export async function saveCsv(address: string, fileName: string): Promise<void> {
  const parts: string[] = [];
  for (let next: string | undefined = address; next; ) {
    const headers = { ...WRITE_HEADERS, accept: "text/csv" };
    const response = await fetchOrThrow(new Request(new URL(next, location.origin), { headers }));
    const text = await response.text();
    parts.push(parts.length === 0 ? text : text.slice(text.indexOf("\r\n") + 2));
    next = following(response);
  }
  // Spreadsheets read UTF-8 only behind a byte order mark.
  download(fileName, `\uFEFF${parts.join("")}`);
}
