/** A file of one's own on the running stack: S3, its queue, both functions, and the database. */

import { readFile } from "node:fs/promises";
import { expect, test } from "./session";

const DAYS = Array.from({ length: 12 }, (_, index) => String(index + 1).padStart(2, "0"));
const rows = (last: string) =>
  [
    "day;region;price",
    ...DAYS.map((day) => `${day}/03/2026;North;${day}.50`),
    `05/04/2026;South;${last}`,
  ].join("\n");
const file = (last: string) => ({
  name: "visits.csv",
  mimeType: "text/csv",
  buffer: Buffer.from(`${rows(last)}\n`),
});

test("a file is sent, understood, corrected, replaced and deleted", async ({ page }) => {
  await page.goto("/datasets");
  await page.getByLabel("Choose a file, or drop it here").setInputFiles(file("dear"));
  await page.getByLabel("Name of the dataset").fill("Visits of the stack");
  await page.getByRole("button", { name: "Upload" }).click();

  // Days up to 12 can be read in two ways, and most prices are numbers.
  await expect(page.getByLabel("Type of price")).toHaveValue("number");
  await page.getByLabel("How day is written").selectOption("31/12/2026");
  await page.getByRole("button", { name: "Load it like this" }).click();
  await expect(page.getByText("13 records: 12 fit, 1 rejected.")).toBeVisible();
  await expect(page.getByText("Understood: 100%")).toBeVisible();
  await expect(page.getByText("2026-03-01 to 2026-03-12").first()).toBeVisible();
  const fault = page.getByRole("row").filter({ hasText: "dear" });
  await expect(fault).toContainText("14");
  await expect(fault).toContainText("a number such as 1234.56");
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download all faults" }).click();
  expect(await readFile(await (await download).path(), "utf8")).toContain("dear");

  await page.getByRole("button", { name: "Replace…" }).click();
  await page.getByLabel("Choose a file, or drop it here").setInputFiles(file("7.25"));
  await page.getByRole("button", { name: "Replace rows" }).click();
  await expect(page.getByText("13 records: 13 fit, 0 rejected.")).toBeVisible();
  await expect(page.getByText("2026-03-01 to 2026-04-05").first()).toBeVisible();
  await expect(page.getByRole("heading", { name: "What did not fit" })).toHaveCount(0);

  await page.getByRole("button", { name: "Delete…" }).click();
  await page.getByRole("button", { name: "Delete dataset" }).click();
  await expect(page).toHaveURL(/\/datasets$/);
  await expect(page.getByRole("link", { name: "Visits of the stack" })).toHaveCount(0);
});
