/** The pictures of docs/console, one for each role, as the pages are now. */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { smaller } from "./png";
import { expect, expectLoaded, test } from "./site";

const FOLDER = join(import.meta.dirname, "..", "..", "docs", "console");
const PICTURES = { overview: "/", sales: "/sales", revenue: "/revenue", settings: "/settings" };
const MAX_BYTES = 90_000;

test.skip(!process.env.PULSEQUEUE_KEEP_PICTURES, "PULSEQUEUE_KEEP_PICTURES=1 writes docs/console/*.png anew");

for (const [name, path] of Object.entries(PICTURES)) {
  test(`picture of ${name}`, async ({ page, site }) => {
    site.role = name === "settings" ? "admin" : "editor";
    await page.setViewportSize({ width: 1280, height: 860 });
    await page.goto(path);
    await expectLoaded(page);
    const picture = smaller(await page.screenshot());
    expect(picture.length).toBeLessThan(MAX_BYTES);
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(join(FOLDER, `${name}.png`), picture);
  });
}
