/** What people do on each page, and what each page says when something is wrong. */

import { readFile } from "node:fs/promises";
import { ME, ORDERS, TODAY } from "./data";
import { expect, expectAccessible, expectLoaded, test } from "./site";

const idOf = (status: string) => ORDERS.find((order) => order.status === status)?.orderId ?? "";

test("orders: a filter is in the address, survives a reload, and Back undoes it", async ({ page }) => {
  await page.goto("/orders");
  await expect(page.getByRole("row")).toHaveCount(51);
  await page.getByRole("combobox", { name: "Status" }).selectOption("REJECTED");
  await expect(page).toHaveURL(/\/orders\?status=REJECTED$/);
  const rejected = ORDERS.filter(({ status }) => status === "REJECTED").length;
  await expect(page.getByRole("row")).toHaveCount(rejected + 1);
  await page.reload();
  await expect(page.getByRole("combobox", { name: "Status" })).toHaveValue("REJECTED");
  await expect(page.getByRole("row")).toHaveCount(rejected + 1);
  await page.goBack();
  await expect(page).toHaveURL(/\/orders$/);
  await expect(page.getByRole("row")).toHaveCount(51);
});

test("orders: the CSV has every order that the filters select, also those not shown", async ({
  page,
  site,
}) => {
  await page.goto("/orders?from=2000-01-01&to=2100-12-30");
  await expect(page.getByRole("row")).toHaveCount(51);
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download CSV" }).click();
  const text = await readFile(await (await download).path(), "utf8");
  const lines = text.trimEnd().split("\r\n");
  expect(lines[0]).toMatch(/^\uFEFForderId,/);
  expect(lines.slice(1).map((line) => line.split(",")[0])).toEqual(ORDERS.map(({ orderId }) => orderId));
  const asked = site.requests.filter(({ headers }) => headers.accept === "text/csv");
  expect(asked).toHaveLength(3);
  expect(asked.every(({ path }) => path === "/api/orders")).toBe(true);
});

test.describe("a CSV that fails", () => {
  test.use({ isExpectingErrors: true });

  test("says why, and the table stays", async ({ page, site }) => {
    await page.goto("/orders");
    await expect(page.getByRole("row")).toHaveCount(51);
    site.fail("/api/orders", 403, "Forbidden", "The role viewer cannot read the metric orders.");
    await page.getByRole("button", { name: "Download CSV" }).click();
    await expect(page.getByRole("alert").filter({ hasText: "Not downloaded" })).toContainText(
      "The role viewer cannot read the metric orders.",
    );
    await expect(page.getByRole("row")).toHaveCount(51);
    site.mend("/api/orders");
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download CSV" }).click();
    expect((await download).suggestedFilename()).toBe("orders.csv");
  });
});

test("orders: more pages", async ({ page }) => {
  await page.goto("/orders");
  await page.getByRole("button", { name: "Show more" }).click();
  await expect(page.getByRole("row")).toHaveCount(101);
  await page.getByRole("button", { name: "Show more" }).click();
  await expect(page.getByRole("row")).toHaveCount(121);
  await expect(page.getByRole("button", { name: "Show more" })).toHaveCount(0);
});

test("orders: columns are chosen, and a reload keeps them", async ({ page }) => {
  await page.goto("/orders");
  await page.getByText("Columns", { exact: true }).click();
  await page.getByLabel("Region").uncheck();
  await expectAccessible(page);
  await page.getByLabel("Placed (UTC)").uncheck();
  await expect(page).toHaveURL(/without=region\.placed-utc$/);
  await page.reload();
  await expect(page.getByRole("columnheader", { name: "Customer" })).toBeVisible();
  await expect(page.getByRole("columnheader", { name: "Region" })).toHaveCount(0);
});

test("order: a refund is confirmed in a dialog, sent as a write, and shown", async ({ page, site }) => {
  const id = idOf("CONFIRMED");
  await page.goto(`/orders/${id}`);
  await page.getByRole("button", { name: "Refund order…" }).click();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Do not refund" }).click();
  expect(site.requests.filter(({ method }) => method === "POST")).toEqual([]);
  await page.getByRole("button", { name: "Refund order…" }).click();
  await page.getByLabel("Reason (optional)").fill("arrived broken");
  await page.getByLabel("The goods are back").check();
  await page.getByRole("dialog").getByRole("button", { name: "Refund order", exact: true }).click();
  await expect(page.getByText("The payment has gone back to the customer.")).toBeVisible();
  const writes = site.requests.filter(({ method }) => method === "POST");
  expect(writes.map(({ path, body }) => [path, body])).toEqual([
    [`/api/orders/${id}/refund`, { amountMinor: null, reason: "arrived broken", restock: true }],
  ]);
  expect(writes[0]?.headers["x-requested-with"]).toBeTruthy();
});

test("order: a part of the payment is refunded, under a key of its own", async ({ page, site }) => {
  const id = idOf("CONFIRMED");
  await page.goto(`/orders/${id}`);
  await page.getByRole("button", { name: "Refund order…" }).click();
  await page.getByLabel(/^Amount \(/).fill("99999999");
  await page.getByRole("dialog").getByRole("button", { name: "Refund order", exact: true }).click();
  await expect(page.getByRole("alert")).toContainText("Give an amount of at most");
  await page.getByLabel(/^Amount \(/).fill("1.50");
  await page.getByRole("dialog").getByRole("button", { name: "Refund order", exact: true }).click();
  await expect(page.getByText("Requested. The order changes within seconds.")).toBeVisible();
  const writes = site.requests.filter(({ method }) => method === "POST");
  expect(writes.map(({ path, body }) => [path, body])).toEqual([
    [`/api/orders/${id}/refund`, { amountMinor: 150, reason: null, restock: false }],
  ]);
  expect(writes[0]?.headers["idempotency-key"]).toMatch(/^[0-9a-f-]{36}$/);
});

test("order: before the payment it is cancelled, and its state is told in a sentence", async ({
  page,
  site,
}) => {
  const id = idOf("RESERVED");
  await page.goto(`/orders/${id}`);
  await expect(page.getByText("Stock is set aside, and the payment has been asked for.")).toBeVisible();
  await page.getByRole("button", { name: "Cancel order…" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Cancel order", exact: true }).click();
  await expect(page.getByText("The order has ended, and its stock is free again.")).toBeVisible();
  const writes = site.requests.filter(({ method }) => method === "POST");
  expect(writes.map(({ path, body }) => [path, body])).toEqual([
    [`/api/orders/${id}/cancel`, { reason: null }],
  ]);
});

test("order: a viewer is offered no writes", async ({ page, site }) => {
  site.role = "viewer";
  await page.goto(`/orders/${idOf("CONFIRMED")}`);
  await expectLoaded(page);
  await expect(page.getByText(`${ME.email} · viewer`)).toBeVisible();
  await expect(page.getByRole("button", { name: "Refund order…" })).toHaveCount(0);
});

test("revenue: range and month are in the address; the chart has its table", async ({ page }) => {
  await page.goto("/revenue");
  await page.getByLabel("Movements of").selectOption("6");
  await expect(page).toHaveURL(/months=6/);
  await page.getByText("Show the numbers as a table").click();
  const movements = page.getByRole("table", { name: "MRR movements in EUR by month" });
  await expect(movements.getByRole("row")).toHaveCount(7);
  await expect(page.getByText("(opening + expansion - contraction - churn) / opening")).toBeVisible();
  await page.goBack();
  await expect(page.getByLabel("Movements of")).toHaveValue("12");
});

test("overview: what needs a person is counted, and leads to it", async ({ page }) => {
  await page.goto("/");
  const tasks = page.getByRole("region", { name: "What needs a person" });
  const waiting = tasks.getByRole("link", { name: "orders of earlier days still await their payment" });
  await expect(tasks.getByRole("listitem").filter({ hasText: "sell most" })).toContainText(
    "2of the 50 products",
  );
  await waiting.click();
  await expect(page).toHaveURL(/status=RESERVED&to=/);
});

test("flags: a visitor keeps the variant of the cookie, and it is there at the first paint", async ({
  page,
  context,
  origin,
  site,
}) => {
  site.flags = { "tasks-first": { share: 50, ends: TODAY } };
  const headings = async (variant: string) => {
    await context.addCookies([{ name: "variant", value: variant, url: origin }]);
    await page.goto("/");
    await expect(page.getByRole("heading", { name: "Today" })).toBeVisible();
    return (await page.getByRole("heading", { level: 2 }).allTextContents()).slice(0, 2);
  };
  expect(await headings("99")).toEqual(["Today", "What needs a person"]);
  expect(await headings("0")).toEqual(["What needs a person", "Today"]);
});

test("cohorts: the basis is in the address; small groups are withheld, not zero", async ({ page }) => {
  await page.goto("/cohorts");
  await expect(page.getByText("too few to show").first()).toBeVisible();
  await page.getByLabel("Based on").selectOption("subscription");
  await expect(page).toHaveURL(/basis=subscription/);
  await expect(page.getByText("active while they have any")).toBeVisible();
});

test("revenue: from a month's movements to the customers, and on to their orders", async ({ page }) => {
  await page.goto("/revenue");
  const moved = page.getByRole("region", { name: /^Who moved/ });
  await expect(moved.getByRole("row")).toHaveCount(51);
  await moved.getByRole("button", { name: "Show more" }).click();
  await expect(moved.getByRole("row")).toHaveCount(71);
  await moved.getByRole("combobox", { name: "Movement" }).selectOption("churn");
  await expect(page).toHaveURL(/kind=churn/);
  await expect(moved.getByRole("row")).toHaveCount(3);
  await page.reload();
  await expect(moved.getByRole("combobox", { name: "Movement" })).toHaveValue("churn");
  await moved.getByRole("link").first().click();
  await expect(page).toHaveURL(/\/orders\?customer=customer-000400$/);
});

test("cohorts: by revenue there is a table for each currency, and growth beyond the first month", async ({
  page,
}) => {
  await page.goto("/cohorts");
  await page.getByLabel("Measured by").selectOption("revenue");
  await expect(page).toHaveURL(/measure=revenue/);
  await expect(page.getByRole("heading", { name: "Revenue, EUR" })).toBeVisible();
  await expect(page.getByRole("heading", { name: "Revenue, USD" })).toBeVisible();
  await expect(page.getByRole("cell", { name: "118%" }).first()).toBeVisible();
  await expect(page.getByText("too few to show").first()).toBeVisible();
  await expectAccessible(page);
});

test("views: filters are saved under a name, opened, shared and deleted", async ({ page, site }) => {
  await page.goto("/orders?status=REJECTED");
  await page.getByRole("button", { name: "Views…" }).click();
  await expect(page.getByText("No view of this page is saved yet.")).toBeVisible();
  await page.getByLabel("Save what is filtered now as").fill("Refused orders");
  await page.getByLabel("Share it with the organisation").check();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  expect(site.organization.views).toEqual([
    expect.objectContaining({
      page: "orders",
      name: "Refused orders",
      query: { status: "REJECTED" },
      shared: true,
    }),
  ]);
  await page.getByRole("link", { name: "Clear filters" }).click();
  await expect(page).toHaveURL(/\/orders$/);
  await page.getByRole("button", { name: "Views…" }).click();
  await page.getByRole("button", { name: "Refused orders (shared)" }).click();
  await expect(page).toHaveURL(/status=REJECTED/);
  await page.getByRole("button", { name: "Views…" }).click();
  await page.getByRole("button", { name: "Delete the view Refused orders" }).click();
  await expect(page.getByText("No view of this page is saved yet.")).toBeVisible();
  expect(site.organization.views).toEqual([]);
});

test("pipeline: days are asked for as chosen, the last one included", async ({ page }) => {
  await page.goto("/pipeline?from=2026-01-05&to=2026-01-31");
  const asked = page.waitForRequest(/by-region\?from=2026-02-01&to=2026-03-01/);
  await page.getByLabel("Last day").fill("2026-02-28");
  await page.getByLabel("First day").fill("2026-02-01");
  await asked;
  await expect(page.getByText("1 Feb 2026 to 28 Feb 2026")).toBeVisible();
});

test("sales: LIVE, with an age, and refreshed by hand", async ({ page, site }) => {
  await page.goto("/sales");
  await expect(page.getByText(/LIVE · \d+ s/)).toBeVisible();
  const before = site.requests.length;
  await page.getByRole("button", { name: "Refresh" }).click();
  await expect.poll(() => site.requests.length).toBeGreaterThan(before);
});

test("sales: by channel and by product, most revenue first, page by page", async ({ page }) => {
  await page.goto("/sales?from=2026-01-01&to=2026-01-31");
  await expect(page.getByText("1 Jan 2026 to 31 Jan 2026")).toBeVisible();
  await page.getByRole("combobox", { name: "By" }).selectOption("channel");
  await expect(page.getByRole("rowheader", { name: "Not named" })).toBeVisible();
  await page.getByRole("combobox", { name: "By" }).selectOption("product");
  await page.getByRole("combobox", { name: "Most first" }).selectOption("revenue");
  await expect(page).toHaveURL(/from=2026-01-01&to=2026-01-31&by=product&sort=revenue$/);
  const products = page.getByRole("table", { name: "Sales by product, most revenue in EUR first" });
  await expect(products.getByRole("rowheader").first()).toHaveText(/edition 70$/);
  await expect(products.getByRole("row")).toHaveCount(51);
  await page.getByRole("button", { name: "Show more" }).click();
  await expect(products.getByRole("row")).toHaveCount(71);
  await expectAccessible(page);
});

test("the keyboard alone: skip link, palette, shortcuts, theme", async ({ page }) => {
  await page.goto("/");
  await expectLoaded(page);
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Skip to content" })).toBeFocused();
  await page.keyboard.press("?");
  await expect(page.getByRole("dialog", { name: "Keyboard shortcuts" })).toBeVisible();
  await page.keyboard.press("Escape");
  await page.keyboard.press("g");
  await page.keyboard.press("s");
  await expect(page).toHaveURL(/\/sales$/);
  await page.keyboard.press("Control+k");
  await page.getByRole("dialog").getByRole("combobox").fill("coh");
  await expectAccessible(page);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Cohorts", level: 1 })).toBeVisible();
  const theme = () => page.evaluate(() => document.documentElement.dataset.theme);
  const before = await theme();
  await page.keyboard.press("t");
  await expect.poll(theme).not.toBe(before);
});

test("empty: each page says what will appear", async ({ page, site }) => {
  site.isEmpty = true;
  for (const path of ["/orders", "/inventory", "/cohorts", "/pipeline", "/sales", "/orders?status=PLACED"]) {
    await page.goto(path);
    await expect(
      page.getByText(/No (orders yet|products yet|customers in|sales in|order matches)/).first(),
    ).toBeVisible();
    await expectAccessible(page);
  }
});

test("the first page loads at most 120 KB of script, compressed", async ({ page }) => {
  const { gzipSync } = await import("node:zlib");
  const sizes: Promise<number>[] = [];
  page.on("response", (response) => {
    if (!new URL(response.url()).pathname.endsWith(".js")) return;
    sizes.push(response.body().then((content) => gzipSync(content, { level: 9 }).length));
  });
  await page.goto("/");
  await expectLoaded(page);
  const total = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  expect(total).toBeGreaterThan(50_000);
  expect(total).toBeLessThanOrEqual(120 * 1024);
});

test.describe("failures", () => {
  test.use({ isExpectingErrors: true });

  test("order: a refusal says why, and what was typed is kept", async ({ page, site }) => {
    const id = idOf("CONFIRMED");
    site.fail(`/api/orders/${id}/refund`, 409, "Conflict", "The order is CANCELLED and cannot be refunded.");
    await page.goto(`/orders/${id}`);
    await page.getByRole("button", { name: "Refund order…" }).click();
    await page.getByLabel("Reason (optional)").fill("arrived broken");
    await page.getByRole("dialog").getByRole("button", { name: "Refund order", exact: true }).click();
    await expect(page.getByText("The order is CANCELLED and cannot be refunded.")).toBeVisible();
    await expect(page.getByLabel("Reason (optional)")).toHaveValue("arrived broken");
    await expectAccessible(page);
  });

  test("a part fails alone, with its reason and Try again", async ({ page, site }) => {
    site.fail("/api/pipeline/by-region", 503, "Unavailable", "The database does not answer.");
    await page.goto("/");
    const failed = page.getByRole("region", { name: "Regions, last 30 days" });
    await expect(failed.getByText("The database does not answer.")).toBeVisible();
    await expect(page.getByRole("region", { name: "Latest orders" }).getByRole("row").first()).toBeVisible();
    await expectAccessible(page);
    site.mend("/api/pipeline/by-region");
    await failed.getByRole("button", { name: "Try again" }).click();
    await expect(failed.getByRole("row").first()).toBeVisible();
  });

  test("numbers stay on screen while their update fails", async ({ page, site }) => {
    await page.goto("/sales");
    await expectLoaded(page);
    site.fail("/api/sales/last-month", 500, "Error", "Something failed.");
    await page.getByRole("button", { name: "Refresh" }).click();
    await expect(page.getByText("Not updated: Something failed.")).toBeVisible();
    await expect(page.getByText("Net revenue, EUR", { exact: true }).first()).toBeVisible();
    await expectAccessible(page);
  });

  test("LIVE turns into stale", async ({ page, site }) => {
    await page.clock.install();
    await page.goto("/sales");
    await expect(page.getByText(/LIVE/)).toBeVisible();
    site.fail("/api/sales/last-month", 500, "Error", "Something failed.");
    await page.clock.fastForward(120_000);
    await expect(page.getByText(/stale 2 min/)).toBeVisible();
  });

  test("forbidden and unknown say what to do", async ({ page, site }) => {
    site.fail("/api/metrics/cohorts", 403, "Forbidden", "Your role may not see cohorts.");
    await page.goto("/cohorts");
    await expect(page.getByText("Ask an administrator of your organisation for access.")).toBeVisible();
    await expectAccessible(page);
    await page.goto("/orders/ord-nothing");
    await expect(page.getByText("No such order.")).toBeVisible();
    await expectAccessible(page);
  });

  test("a member of no organisation is told to ask for an invitation", async ({ page, site }) => {
    site.isMember = false;
    await page.goto("/");
    await expect(page.getByText("Ask an administrator of your organisation for an invitation")).toBeVisible();
    await expectAccessible(page);
  });

  test("who has no organisation can found one, and is told where that is not allowed", async ({
    page,
    site,
  }) => {
    site.isMember = site.mayFound = false;
    await page.goto("/");
    await page.getByLabel("Name").fill("Northwind Coffee");
    await page.getByRole("button", { name: "Found it" }).click();
    await expect(page.getByText("Organisations are founded by the operator here.")).toBeVisible();
    await expectAccessible(page);
    site.mayFound = true;
    await page.getByRole("button", { name: "Found it" }).click();
    await expect(page.getByRole("heading", { name: "Overview", level: 1 })).toBeVisible();
    expect(site.requests.filter(({ path }) => path === "/auth/refresh")).toHaveLength(1);
  });

  test("an expired session is renewed once for all requests, without a word", async ({ page, site }) => {
    site.isSignedIn = false;
    await page.goto("/");
    await expect(page.getByRole("region", { name: "Latest orders" }).getByRole("row").first()).toBeVisible();
    await expectLoaded(page);
    expect(site.requests.filter(({ path }) => path === "/auth/refresh")).toHaveLength(1);
  });

  test("an ended session leads to the sign-in, and back to the same page", async ({ page, site }) => {
    site.isSignedIn = site.canRenew = false;
    await page.goto("/orders?status=PLACED");
    await expect(page.getByRole("heading", { name: "Sign in to PulseQueue" })).toBeVisible();
    await expect(page.getByRole("link", { name: "Sign in" })).toHaveAttribute(
      "href",
      "/auth/login?next=%2Forders%3Fstatus%3DPLACED",
    );
    for (const provider of ["GitHub", "Google"]) {
      await expect(page.getByRole("link", { name: `Continue with ${provider}` })).toHaveAttribute(
        "href",
        `/auth/login?next=%2Forders%3Fstatus%3DPLACED&provider=${provider}`,
      );
    }
    await expectAccessible(page);
    expect(await page.evaluate(() => document.cookie)).toBe("");
  });

  test("a user pool that is busy for a moment signs nobody out", async ({ page, site }) => {
    site.isSignedIn = false;
    site.busy = 1;
    await page.goto("/");
    await expect(page.getByRole("region", { name: "Latest orders" }).getByRole("row").first()).toBeVisible();
    expect(site.requests.filter(({ path }) => path === "/auth/refresh")).toHaveLength(2);
  });

  test("signing out ends the session, and that of the user pool's own page", async ({ page, site }) => {
    await page.goto("/");
    await page.getByRole("button", { name: "Sign out" }).click();
    await expect(page.getByRole("heading", { name: "Sign in to PulseQueue" })).toBeVisible();
    await expect(page).toHaveURL(/from=pool/);
    expect(site.isSignedIn).toBe(false);
  });

  test("offline: the page says so, and keeps its numbers", async ({ page, context }) => {
    await page.goto("/sales");
    await expectLoaded(page);
    await context.setOffline(true);
    await expect(page.getByText("You are offline.")).toBeVisible();
    await page.getByRole("button", { name: "Refresh" }).click();
    await expect(page.getByText("Not updated: No answer from the server.")).toBeVisible();
    await expectAccessible(page);
    await context.setOffline(false);
    await expect(page.getByText("You are offline.")).toHaveCount(0);
  });
});
