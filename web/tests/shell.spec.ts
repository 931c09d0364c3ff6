/** What holds on every page: print, zoom, motion, a build that was replaced. */

import { expect, expectAccessible, expectLoaded, test } from "./site";

test("in print there are numbers, and nothing to press", async ({ page }) => {
  await page.goto("/orders");
  await expectLoaded(page);
  await page.emulateMedia({ media: "print" });
  await expect(page.getByRole("table")).toBeVisible();
  await expect(page.getByRole("navigation")).toHaveCount(0);
  await expect(page.getByRole("button")).toHaveCount(0);
  await expect(page.getByRole("combobox", { name: "Status" })).toBeHidden();
});

test("at 400 % zoom the page reflows, and its header scrolls away", async ({ page }) => {
  await page.setViewportSize({ width: 320, height: 256 });
  for (const path of ["/", "/orders", "/inventory", "/revenue"]) {
    await page.goto(path);
    await expectLoaded(page);
    await expectAccessible(page);
    await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
    await expect(page.getByRole("link", { name: "PulseQueue" })).not.toBeInViewport();
  }
});

test("who asks for less motion gets none", async ({ page }) => {
  await page.goto("/sales");
  const animation = () =>
    page.getByText(/LIVE/).evaluate((pill) => {
      const dot = pill.querySelector("span");
      return dot && getComputedStyle(dot).animationName;
    });
  expect(await animation()).not.toBe("none");
  await page.emulateMedia({ reducedMotion: "reduce" });
  expect(await animation()).toBe("none");
});

test.describe("failures", () => {
  test.use({ isExpectingErrors: true });

  test("a page whose build was replaced says so, and reloads", async ({ page, site }) => {
    await page.goto("/");
    await expectLoaded(page);
    site.replaced = /PipelinePage.*\.js/;
    await page.getByRole("link", { name: "Pipeline", exact: true }).click();
    await expect(page.getByText("This page is out of date")).toBeVisible();
    await expectAccessible(page);
    site.replaced = undefined;
    await page.getByRole("button", { name: "Reload" }).click();
    await expect(page.getByRole("heading", { name: "Pipeline", level: 1 })).toBeVisible();
  });
});
