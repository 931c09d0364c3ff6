/** Members, invitations, machines, and the organisation one works for. */

import { ME } from "./data";
import { expect, expectAccessible, expectLoaded, test } from "./site";

test.beforeEach(({ site }) => {
  site.role = "admin";
});

test("a viewer sees the members and changes nothing", async ({ page, site }) => {
  site.role = "viewer";
  await page.goto("/settings");
  const members = page.getByRole("region", { name: "Members", exact: true });
  await expect(members.getByRole("row")).toHaveCount(4);
  await expect(members.getByRole("combobox")).toHaveCount(0);
  await expect(page.getByRole("heading", { name: "Invitations" })).toHaveCount(0);
  expect(site.requests.map(({ path }) => path)).not.toContain("/api/machines");
});

test("a role is changed in its row, and a member removed after a question", async ({ page, site }) => {
  await page.goto("/settings");
  await page.getByLabel("Role of teo@northwind.example").selectOption("admin");
  await expect.poll(() => site.organization.members[1]?.role).toBe("admin");
  await page.getByRole("button", { name: "Remove teo@northwind.example" }).click();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Keep member" }).click();
  expect(site.organization.members).toHaveLength(3);
  await page.getByRole("button", { name: "Remove teo@northwind.example" }).click();
  await page.getByRole("button", { name: "Remove member" }).click();
  await expect(page.getByText("teo@northwind.example")).toHaveCount(0);
  expect(site.organization.members).toHaveLength(2);
});

test("an invitation is a link that is shown once, with its token behind the #", async ({ page, site }) => {
  await page.goto("/settings");
  await page.getByRole("button", { name: "Invite…" }).click();
  await page.getByLabel("E-mail address").fill("lena@northwind.example");
  await page.getByLabel("Role", { exact: true }).selectOption("editor");
  await page.getByRole("button", { name: "Create invitation" }).click();
  const link = await page.getByLabel("Link", { exact: true }).inputValue();
  expect(new URL(link).hash).toBe("#token-1");
  await expectAccessible(page);
  await page.getByRole("button", { name: "I have copied it" }).click();
  await expect(page.getByText("token-1")).toHaveCount(0);
  const invitations = page.getByRole("region", { name: "Invitations", exact: true });
  await expect(invitations.getByRole("cell", { name: "Editor" })).toBeVisible();
  await page.getByRole("button", { name: "Withdraw the invitation for lena@northwind.example" }).click();
  await expect(page.getByText("lena@northwind.example")).toHaveCount(0);
  expect(site.organization.invitations).toHaveLength(1);
});

test("an invitation is accepted: its token reaches the server in the body alone", async ({ page, site }) => {
  await page.goto("/invitation#token-1");
  await expect(page.getByText(`Signed in as ${ME.email}.`)).toBeVisible();
  await expect(page).toHaveURL(/\/invitation$/);
  await page.getByRole("button", { name: "Join the organisation" }).click();
  await expect(page.getByRole("heading", { name: "Overview", level: 1 })).toBeVisible();
  const accepted = site.requests.find(({ path }) => path === "/api/invitations/accept");
  expect(accepted?.body).toEqual({ token: "token-1" });
  expect(site.requests.filter(({ path }) => path.includes("token-1"))).toEqual([]);
});

test("a machine's secret is shown once", async ({ page, site }) => {
  await page.goto("/settings");
  await page.getByRole("button", { name: "New token…" }).click();
  await page.getByLabel("Name", { exact: true }).fill("Nightly export");
  await page.getByRole("button", { name: "Create token" }).click();
  await expect(page.getByText("Choose at least one scope.")).toBeVisible();
  await page.getByLabel("read revenue, sales and cohorts").check();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Create token" }).click();
  await expect(page.getByLabel("Secret", { exact: true })).toHaveValue("secret-once-9f8e7d");
  await page.getByRole("button", { name: "I have copied it" }).click();
  await expect(page.getByText("secret-once-9f8e7d")).toHaveCount(0);
  expect(site.organization.machines.at(-1)?.scopes).toEqual(["metrics:read"]);
  await page.getByRole("button", { name: "Take away the token of Nightly export" }).click();
  await page.getByRole("button", { name: "Take away", exact: true }).click();
  await expect(page.getByText("Nightly export")).toHaveCount(0);
});

test("who sees a metric is changed, with the rules that it has", async ({ page, site }) => {
  await page.goto("/settings");
  const table = page.getByRole("table", { name: "Who sees which metric" });
  await expect(table.getByRole("row")).toHaveCount(8);
  await page.getByRole("button", { name: "Change who sees MRR" }).click();
  await expect(page.getByText("Smallest group")).toHaveCount(0);
  await page.getByRole("checkbox", { name: "Editors" }).check();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Change", exact: true }).click();
  await expect(table.getByRole("row", { name: /^MRR/ })).toContainText("Admins, Editors");
  await page.getByRole("button", { name: "Change who sees Cohorts" }).click();
  await page.getByLabel("Smallest group that is shown (empty: any)").fill("10");
  await page.getByRole("button", { name: "Change", exact: true }).click();
  await expect(table.getByRole("row", { name: /^Cohorts/ })).toContainText("Groups below 10 are withheld");
  const sent = site.requests.filter(({ method }) => method === "PATCH").map(({ path, body }) => [path, body]);
  expect(sent).toEqual([
    ["/api/governance/mrr", { visibleTo: ["admin", "editor"], audited: true }],
    [
      "/api/governance/cohorts",
      { visibleTo: ["admin", "editor", "viewer"], audited: false, smallestGroup: 10 },
    ],
  ]);
});

test("working for another organisation takes a new token, and reads everything again", async ({
  page,
  site,
}) => {
  await page.goto("/settings");
  await page.getByLabel("Work for").selectOption("southwind");
  await expect(page).toHaveURL(/\/$/);
  await expect(page.getByText("Southwind Tea")).toBeVisible();
  await expectLoaded(page);
  expect(site.requests.filter(({ path }) => path === "/auth/refresh")).toHaveLength(1);
});

test("on a phone the row of pages scrolls to the one that is shown", async ({ page }) => {
  await page.setViewportSize({ width: 320, height: 640 });
  await page.goto("/settings");
  await expect(page.getByRole("link", { name: "Settings" })).toBeInViewport();
});

test.describe("failures", () => {
  test.use({ isExpectingErrors: true });

  test("the last administrator stays one, and the page says so", async ({ page }) => {
    await page.goto("/settings");
    await page.getByLabel(`Role of ${ME.email}`).selectOption("viewer");
    await expect(page.getByText("At least one administrator remains; make another one first.")).toBeVisible();
    await expect(page.getByLabel(`Role of ${ME.email}`)).toHaveValue("admin");
    await expectAccessible(page);
  });

  test("an invited person without an account is led to the sign-in, and the code waits", async ({
    page,
    site,
  }) => {
    site.isSignedIn = site.canRenew = false;
    await page.goto("/invitation#token-1");
    await expect(page.getByRole("link", { name: "Sign in" })).toHaveAttribute(
      "href",
      "/auth/login?next=%2Finvitation",
    );
    await expect(page.getByRole("link", { name: "Continue with Google" })).toHaveAttribute(
      "href",
      "/auth/login?next=%2Finvitation&provider=Google",
    );
    await expectAccessible(page);
    site.isSignedIn = true;
    await page.goto("/invitation");
    await expect(page.getByLabel("Code of the invitation")).toHaveValue("token-1");
  });

  test("an invitation that has ended says so", async ({ page }) => {
    await page.goto("/invitation#token-9");
    await page.getByRole("button", { name: "Join the organisation" }).click();
    await expect(page.getByText("The invitation has ended, or never was.")).toBeVisible();
    await expectAccessible(page);
  });
});
