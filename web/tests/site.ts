/** The fixture of the browser tests: a site of its own for each test, which watches what no page may do. */

import AxeBuilder from "@axe-core/playwright";
import { test as base, expect, type Page } from "@playwright/test";
import { FakeSite } from "./server";

export const test = base.extend<{ site: FakeSite; origin: string; isExpectingErrors: boolean }>({
  isExpectingErrors: [false, { option: true }],
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names that a fixture uses from here
  site: async ({}, use) => {
    const site = new FakeSite();
    await use(site);
    site.stop();
  },
  origin: async ({ site }, use) => use(await site.start()),
  baseURL: async ({ origin }, use) => use(origin),
  page: async ({ page, site, origin, isExpectingErrors }, use) => {
    const complaints: string[] = [];
    page.on("console", (message) => {
      // The browser itself logs each answer of 4xx and 5xx.
      const isStatus = message.text().startsWith("Failed to load resource");
      if (message.type() === "error" && !(isExpectingErrors && isStatus)) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("request", (request) => {
      const isKnown = [origin, "blob:", site.datasets.uploadUrl].some((it) => request.url().startsWith(it));
      if (!isKnown) complaints.push(request.url());
    });
    await use(page);
    expect(complaints, "errors in the console, and requests to other origins").toEqual([]);
  },
});

/** Nothing that axe finds, and nothing that scrolls the page sideways. */
export async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
  expect(found).toEqual([]);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(overflow, "pixels of horizontal scroll").toBeLessThanOrEqual(0);
}

/** Everything that is being asked for has arrived. */
export async function expectLoaded(page: Page): Promise<void> {
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await expect(page.getByText("Loading…")).toHaveCount(0);
}

export { expect };
