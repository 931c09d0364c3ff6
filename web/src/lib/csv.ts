/** CSV as RFC 4180 describes it, with a byte order mark so that spreadsheets read UTF-8. */

export type CsvValue = string | number | null;

function escaped(value: CsvValue): string {
  if (value === null) return "";
  // A spreadsheet would run text that begins like a formula.
  const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function toCsv(titles: readonly string[], rows: readonly (readonly CsvValue[])[]): string {
  return `\uFEFF${[titles, ...rows].map((row) => row.map(escaped).join(",")).join("\r\n")}\r\n`;
}

export function download(fileName: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = fileName;
  link.click();
  URL.revokeObjectURL(address);
}
