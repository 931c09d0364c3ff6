/** Every page at three widths in both themes: axe, no sideways scroll, and a picture to look at. */

import { ORDERS } from "./data";
import { UNDECIDED } from "./datasets";
import { expectAccessible, expectLoaded, test } from "./site";

const PAGES = {
  overview: "/",
  orders: "/orders",
  order: `/orders/${ORDERS.find(({ status }) => status === "CONFIRMED")?.orderId}`,
  inventory: "/inventory",
  revenue: "/revenue",
  cohorts: "/cohorts",
  "cohorts-revenue": "/cohorts?measure=revenue&basis=subscription",
  pipeline: "/pipeline",
  sales: "/sales",
  "sales-by-product": "/sales?by=product",
  datasets: "/datasets",
  dataset: "/datasets?dataset=ds_1",
  "dataset-undecided": `/datasets?dataset=${UNDECIDED.id}`,
  webhooks: "/hooks?webhook=webhook-1",
  settings: "/settings",
  "sign-in": "/sign-in",
  invitation: "/invitation",
  "not-found": "/nothing-here",
};
const WIDTHS = [320, 768, 1440];
/** Of a picture: long tables go on below. */
const HEIGHT = 1_800;

for (const [name, path] of Object.entries(PAGES)) {
  test(`${name}: axe and width at ${WIDTHS.join(", ")} px, light and dark`, async ({ page, site }) => {
    site.role = "admin";
    site.datasets.datasets.push(UNDECIDED);
    for (const theme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme: theme });
      await page.goto(path);
      for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: 900 });
        await expectLoaded(page);
        await expectAccessible(page);
        const height = await page.evaluate(() => document.documentElement.scrollHeight);
        await page.screenshot({
          path: `test-results/pages/${name}-${width}-${theme}.png`,
          fullPage: true,
          clip: { x: 0, y: 0, width, height: Math.min(height, HEIGHT) },
        });
      }
    }
  });
}
