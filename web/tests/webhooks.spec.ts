/** Webhooks: adding one, its secret, its log, and who may do what. */

import { expect, expectAccessible, test } from "./site";

const ADDRESS = "/hooks?webhook=webhook-1";

test.beforeEach(({ site }) => {
  site.role = "admin";
});

test("a webhook is added, its secret is shown once, and its page follows", async ({ page, site }) => {
  await page.goto("/hooks");
  await page.getByRole("button", { name: "Add webhook…" }).click();
  await page.getByLabel("URL").fill("https://new.northwind.example/hooks");
  await page.getByLabel("order.confirmed").check();
  await page.getByLabel("refund.processed").check();
  await page.getByLabel("order.confirmed").uncheck();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Add webhook", exact: true }).click();
  await expect(page.getByLabel("Secret", { exact: true })).toHaveValue("whsec_first");
  await expectAccessible(page);
  await page.getByRole("button", { name: "I have copied it" }).click();
  await expect(page.getByText("whsec_first")).toHaveCount(0);
  await expect(page).toHaveURL(/\?webhook=webhook-4$/);
  await expect(page.getByText("Nothing was sent in the last 30 days")).toBeVisible();
  expect(site.webhooks.webhooks.at(-1)).toMatchObject({
    url: "https://new.northwind.example/hooks",
    types: ["refund.processed"],
    format: "standard",
  });
});

test("the log shows status, attempts and request id, and a message is delivered again", async ({
  page,
  site,
}) => {
  await page.goto("/hooks");
  await page.getByRole("link", { name: /warehouse/ }).click();
  const log = page.getByRole("table", { name: "The last 100 messages, newest first" });
  const row = log.getByRole("row").filter({ hasText: "msg_5d1f0c6a1b8e4f7d9a2b3c4d" });
  await expect(row).toContainText("Delivered");
  await expect(row).toContainText("204 in 48 ms");
  await expect(row).toContainText("req-77ab");
  await page.getByRole("button", { name: "Deliver again: msg_failed" }).click();
  await expect(log.getByRole("row").filter({ hasText: "msg_failed" })).toContainText("Waiting");
  expect(site.requests.at(-2)?.path).toBe("/api/webhooks/webhook-1/deliveries/msg_failed/redeliver");
  await page.reload();
  await expect(page.getByRole("heading", { name: "Deliveries" })).toBeVisible();
});

test("a test is sent and appears in the log", async ({ page }) => {
  await page.goto(ADDRESS);
  await page.getByRole("button", { name: "Send test" }).click();
  await expect(page.getByText("is on its way; it appears below.")).toBeVisible();
  await expect(page.getByRole("row").filter({ hasText: "webhook.test" })).toContainText("Waiting");
});

test("a new secret is made after a question, and shown once", async ({ page }) => {
  await page.goto(ADDRESS);
  await page.getByRole("button", { name: "New secret…" }).click();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Make it" }).click();
  await expect(page.getByLabel("Secret", { exact: true })).toHaveValue("whsec_second");
  await page.keyboard.press("Escape");
  await expect(page.getByText("whsec_second")).toHaveCount(0);
});

test("a webhook is changed, disabled, and deleted after a question", async ({ page, site }) => {
  await page.goto(ADDRESS);
  await page.getByRole("button", { name: "Change…" }).click();
  await page.getByLabel("Form of the messages").selectOption("cloudevents");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("CloudEvents", { exact: true })).toBeVisible();
  await page.getByRole("button", { name: "Disable" }).click();
  await expect(page.getByText("Off. Somebody disabled it.", { exact: false })).toBeVisible();
  await expect(page.getByRole("button", { name: "Send test" })).toBeDisabled();
  await page.getByRole("button", { name: "Delete…" }).click();
  await page.getByRole("button", { name: "Keep webhook" }).click();
  expect(site.webhooks.webhooks).toHaveLength(3);
  await page.getByRole("button", { name: "Delete…" }).click();
  await page.getByRole("button", { name: "Delete webhook" }).click();
  await expect(page.getByRole("link", { name: /warehouse/ })).toHaveCount(0);
  await expect(page).toHaveURL(/\/hooks$/);
});

test("by keyboard alone a webhook is found in the pages, opened, and tested", async ({ page }) => {
  await page.goto("/");
  await expect(page.getByRole("heading", { name: "Overview", level: 1 })).toBeVisible();
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Page, order id or customer" }).fill("webh");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Webhooks", level: 1 })).toBeVisible();
  await page.getByRole("link", { name: /warehouse/ }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Send test" }).focus();
  await page.keyboard.press("Enter");
  await expect(page.getByText("is on its way; it appears below.")).toBeVisible();
});

test("one that was disabled says why, and is enabled again", async ({ page }) => {
  await page.goto("/hooks?webhook=webhook-3");
  await expect(page.getByText("It answered 410", { exact: false })).toBeVisible();
  await page.getByRole("button", { name: "Enable" }).click();
  await expect(page.getByText("On. Messages are sent.")).toBeVisible();
});

test("an editor reads, and changes nothing", async ({ page, site }) => {
  site.role = "editor";
  await page.goto(ADDRESS);
  await expect(page.getByText("req-77ab")).toBeVisible();
  for (const name of ["Add webhook…", "Send test", "New secret…", "Delete…", "Deliver again: msg_failed"])
    await expect(page.getByRole("button", { name })).toHaveCount(0);
});

test.describe("failures", () => {
  test.use({ isExpectingErrors: true });

  test("a viewer is told to ask for access", async ({ page, site }) => {
    site.role = "viewer";
    await page.goto("/hooks");
    await expect(page.getByText("You may not see this")).toBeVisible();
    await expectAccessible(page);
  });

  test("a URL that is refused keeps what was typed, and says why", async ({ page }) => {
    await page.goto("/hooks");
    await page.getByRole("button", { name: "Add webhook…" }).click();
    await page.getByLabel("URL").fill("http://10.0.0.1/");
    await page.getByRole("button", { name: "Add webhook", exact: true }).click();
    await expect(page.getByRole("alert")).toContainText("must be a URL that begins with https://");
    await expect(page.getByLabel("URL")).toHaveValue("http://10.0.0.1/");
    await expectAccessible(page);
  });

  test("an id of nobody's says so", async ({ page }) => {
    await page.goto("/hooks?webhook=webhook-9");
    await expect(page.getByText("Your organisation has no webhook with this id")).toBeVisible();
  });
});
