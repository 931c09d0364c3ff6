/** Stock: found, read, adjusted after a question, and never more than there is. */

import { PRODUCTS_IN_STOCK } from "./data";
import { expect, expectAccessible, expectLoaded, test } from "./site";

const [first] = PRODUCTS_IN_STOCK;
const NAME = first?.name ?? "";

test("what runs out is said in words, and the search is in the address", async ({ page }) => {
  await page.goto("/inventory");
  await expect(page.getByRole("row")).toHaveCount(51);
  await expect(page.getByText("none left")).toBeVisible();
  await expect(page.getByText("3.3 d, runs out")).toBeVisible();
  await expect(page.getByText("not in the inventory")).toBeVisible();
  await page.getByRole("searchbox", { name: "Product" }).fill("grinder");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/search=grinder/);
  await expect(page.getByRole("row")).toHaveCount(11);
  await page.goBack();
  await page.getByRole("button", { name: "Show more" }).click();
  await expect(page.getByRole("row")).toHaveCount(61);
});

test("stock is adjusted after it was shown what it comes to", async ({ page, site }) => {
  await page.goto("/inventory");
  await page.getByRole("button", { name: `Adjust the stock of ${NAME}`, exact: true }).click();
  await page.getByRole("button", { name: "Adjust stock", exact: true }).click();
  expect(site.requests.filter(({ method }) => method === "POST")).toEqual([]);
  await page.getByLabel("Units to add").fill("1.5");
  await page.getByRole("button", { name: "Adjust stock", exact: true }).click();
  await expect(page.getByText("Write a whole number other than 0")).toBeVisible();
  await page.getByLabel("Units to add").fill("24");
  await expect(page.getByText("Then 504 are on the shelf.")).toBeVisible();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Adjust stock", exact: true }).click();
  await expect(page.getByRole("row").nth(1).getByText("504").first()).toBeVisible();
  const writes = site.requests.filter(({ method }) => method === "POST");
  expect(writes.map(({ path, body }) => [path, body])).toEqual([
    [`/api/inventory/${first?.sku}/adjust`, { delta: 24 }],
  ]);
});

test("a viewer reads, and adjusts nothing", async ({ page, site }) => {
  site.role = "viewer";
  await page.goto("/inventory");
  await expectLoaded(page);
  await expect(page.getByRole("button", { name: /^Adjust/ })).toHaveCount(0);
});

test.describe("failures", () => {
  test.use({ isExpectingErrors: true });

  test("more than is available cannot be taken, and the page says how much is", async ({ page }) => {
    await page.goto("/inventory");
    await page.getByRole("button", { name: `Adjust the stock of ${NAME}`, exact: true }).click();
    await page.getByLabel("Units to add").fill("-481");
    await page.getByRole("button", { name: "Adjust stock", exact: true }).click();
    await expect(page.getByText("Only 480 of 480 units are available; take fewer.")).toBeVisible();
    await expect(page.getByLabel("Units to add")).toHaveValue("-481");
    await expectAccessible(page);
  });
});
