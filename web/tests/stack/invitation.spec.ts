/** Someone invited joins the organisation, with an account of Google's that the user pool has not seen before. */

import { expect, test } from "./session";

const { CONSOLE_URL = "" } = process.env;

test("someone invited signs in, joins as a viewer, and is removed again", async ({ page, browser }) => {
  await page.goto("/settings");
  await page.getByRole("button", { name: "Invite…" }).click();
  await page.getByLabel("E-mail address").fill("ben@example.com");
  await page.getByRole("button", { name: "Create invitation" }).click();
  const link = await page.getByLabel("Link", { exact: true }).inputValue();
  await page.getByRole("button", { name: "I have copied it" }).click();

  const ben = await (await browser.newContext({ baseURL: CONSOLE_URL })).newPage();
  await ben.goto(link);
  await expect(ben, "the token leaves the address").toHaveURL(`${CONSOLE_URL}/invitation`);
  await ben.getByRole("link", { name: "Continue with Google" }).click();
  await ben.getByRole("link", { name: /Ben/ }).click();
  await ben.getByRole("button", { name: "Join the organisation" }).click();
  await expect(ben.getByRole("heading", { name: "Overview", level: 1 })).toBeVisible();
  await ben.goto("/settings");
  await expect(ben.getByText(/^Viewer: read what the organisation shows/)).toBeVisible();
  await expect(ben.getByRole("button", { name: "Invite…" }), "for administrators only").toHaveCount(0);

  await page.reload();
  const members = page.getByRole("table", { name: "Members of the organisation" });
  await members
    .getByRole("row", { name: /ben@example\.com/ })
    .getByRole("button", { name: /^Remove/ })
    .click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove member" }).click();
  await expect(members.getByRole("row", { name: /ben@example\.com/ })).toHaveCount(0);
  await ben.context().close();
});

test("an address that leads nowhere says so, and leads back", async ({ page }) => {
  await page.goto("/ordres");
  await expect(page.getByRole("heading", { name: "Page not found" })).toBeVisible();
  await page.getByRole("main").getByRole("link", { name: "overview" }).click();
  await expect(page.getByRole("heading", { name: "Overview", level: 1 })).toBeVisible();
});
