/** The main action of each page on a running stack: real sign-in cookie, real pipeline, real database. */

import { readFile } from "node:fs/promises";
import type { Page } from "@playwright/test";
import { expect, test } from "./session";

const { CONSOLE_SKU = "" } = process.env;

/** Placed through the page's own origin, with its session, as a shop's page would. */
async function placeOrder(page: Page, paymentMethod: string): Promise<string> {
  await page.goto("/");
  return page.evaluate(
    async ([sku, method]) => {
      const response = await fetch("/api/orders", {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "x-requested-with": "test",
          "idempotency-key": crypto.randomUUID(),
        },
        body: JSON.stringify({
          customerId: "console-ann",
          items: [{ sku, quantity: 1 }],
          paymentMethod: method,
          region: "EU",
          channel: "web",
        }),
      });
      if (response.status !== 202) throw new Error(`${response.status} ${await response.text()}`);
      return (await response.json()).data.orderId as string;
    },
    [CONSOLE_SKU, paymentMethod] as const,
  );
}

test("no token is visible to script", async ({ page }) => {
  await page.goto("/");
  await expect(page.getByRole("heading", { name: "Overview", level: 1 })).toBeVisible();
  expect(await page.evaluate(() => document.cookie)).not.toContain("session");
});

test("an order is paid, found by its filters, and refunded", async ({ page }) => {
  const id = await placeOrder(page, "sim_ok");
  await page.goto(`/orders/${id}`);
  await expect(page.getByText("Paid. The goods can be sent.")).toBeVisible();
  await page.goto("/orders");
  await page.getByRole("searchbox", { name: "Customer" }).fill("console-ann");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/customer=console-ann/);
  await page.getByRole("combobox", { name: "Status" }).selectOption("CONFIRMED");
  await expect(page.getByRole("link", { name: id })).toBeVisible();
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download CSV" }).click();
  const [titles, ...lines] = (await readFile(await (await download).path(), "utf8")).trimEnd().split("\r\n");
  expect(titles).toMatch(/^\uFEFForderId,customerId,status,/);
  expect(lines.some((line) => line.startsWith(`${id},console-ann,CONFIRMED,`))).toBe(true);
  await page.reload();
  await expect(page.getByRole("combobox", { name: "Status" })).toHaveValue("CONFIRMED");
  await page.goBack();
  await expect(page).toHaveURL(/\?customer=console-ann$/);
  await page.getByRole("link", { name: id }).click();
  await page.getByRole("button", { name: "Refund order…" }).click();
  await page.getByLabel("Reason (optional)").fill("arrived broken");
  await page.getByRole("dialog").getByRole("button", { name: "Refund order", exact: true }).click();
  await expect(page.getByText("The payment has gone back to the customer.")).toBeVisible();
});

test("an order whose payment hangs is cancelled", async ({ page }) => {
  const id = await placeOrder(page, "sim_unavailable");
  await page.goto(`/orders/${id}`);
  await expect(page.getByText("Stock is set aside, and the payment has been asked for.")).toBeVisible();
  await page.getByRole("button", { name: "Cancel order…" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Cancel order", exact: true }).click();
  await expect(page.getByText("The order has ended, and its stock is free again.")).toBeVisible();
});

test("stock is adjusted, and the page shows what the shelf holds then", async ({ page }) => {
  await page.goto(`/inventory?search=${CONSOLE_SKU}`);
  const row = page.getByRole("row").nth(1);
  const before = Number(((await row.getByRole("cell").first().textContent()) ?? "").replaceAll(",", ""));
  await row.getByRole("button").click();
  await page.getByLabel("Units to add").fill("3");
  await page.getByRole("button", { name: "Adjust stock", exact: true }).click();
  await expect(row.getByRole("cell").first()).toHaveText(String(before + 3));
});

test("a view is saved, opened and deleted", async ({ page }) => {
  await page.goto("/orders?status=REJECTED");
  await page.getByRole("button", { name: "Views…" }).click();
  await page.getByLabel("Save what is filtered now as").fill("Refused");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.goto("/orders");
  await page.getByRole("button", { name: "Views…" }).click();
  await page.getByRole("button", { name: "Refused", exact: true }).click();
  await expect(page).toHaveURL(/status=REJECTED/);
  await page.getByRole("button", { name: "Views…" }).click();
  await page.getByRole("button", { name: "Delete the view Refused" }).click();
  await expect(page.getByText("No view of this page is saved yet.")).toBeVisible();
});

test("someone is invited, and the invitation withdrawn", async ({ page }) => {
  await page.goto("/settings");
  await page.getByRole("button", { name: "Invite…" }).click();
  await page.getByLabel("E-mail address").fill("lena@example.com");
  await page.getByRole("button", { name: "Create invitation" }).click();
  await expect(page.getByLabel("Link", { exact: true })).toHaveValue(/\/invitation#/);
  await page.getByRole("button", { name: "I have copied it" }).click();
  await page.getByRole("button", { name: "Withdraw the invitation for lena@example.com" }).click();
  await expect(page.getByText("lena@example.com")).toHaveCount(0);
});

test("sales, pipeline, cohorts and revenue show what was sold", async ({ page }) => {
  await page.goto("/sales");
  await expect(page.getByText("Net revenue by day", { exact: false }).first()).toBeVisible();
  await page.goto("/pipeline");
  await expect(page.getByRole("table", { name: "Sales by product, most units first" })).toBeVisible();
  await page.goto("/cohorts");
  await expect(page.getByRole("heading", { name: "Retention" })).toBeVisible();
  await page.goto("/revenue");
  await page.getByText("Show the numbers as a table").click();
  await expect(page.getByRole("table", { name: /^MRR movements in/ }).getByRole("row")).toHaveCount(13);
});

test("viewers see no MRR any more, once an administrator says so, and again", async ({ page }) => {
  await page.goto("/settings");
  const row = page.getByRole("table", { name: "Who sees which metric" }).getByRole("row", { name: /^MRR/ });
  const before = (await row.getByRole("cell").first().textContent()) ?? "";
  for (const expected of ["Admins", before]) {
    await page.getByRole("button", { name: "Change who sees MRR" }).click();
    for (const role of ["Editors", "Viewers"])
      await page.getByRole("checkbox", { name: role }).setChecked(expected.includes(role));
    await page.getByRole("button", { name: "Change", exact: true }).click();
    await expect(row.getByRole("cell").first()).toHaveText(expected);
  }
});
