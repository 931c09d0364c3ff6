/** Signing in by the user pool's own page: what the browser keeps, and what script sees of it. */

import { expect, test } from "@playwright/test";

const { CONSOLE_URL = "", CONSOLE_PASSWORD = "" } = process.env;

test("a person signs in, renews the session in two tabs, and signs out", async ({ page, context }) => {
  const post = (path: string, headers: Record<string, string> = { "x-requested-with": "test" }) =>
    page.evaluate(async ([to, sent]) => (await fetch(to, { method: "POST", headers: sent })).status, [
      path,
      headers,
    ] as const);
  const get = (path: string) => page.evaluate(async (to) => (await fetch(to)).status, path);
  // While the user pool is busy the answer is 503; the console then tries again, too.
  const renew = async () => {
    for (let tries = 0; tries < 10; tries += 1) {
      const status = await post("/auth/refresh");
      if (status !== 503) return status;
    }
    return 503;
  };

  await page.goto("/auth/login?next=/orders");
  await page.locator("input[name=username][type=text]").fill("editor");
  await page.locator("input[name=password]").fill(CONSOLE_PASSWORD);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page).toHaveURL(`${CONSOLE_URL}/orders`);

  // Script sees the variant of feature flags, and nothing of the session.
  expect(await page.evaluate(() => document.cookie)).toMatch(/^variant=\d+$/);
  const kept = await page.evaluate(() => JSON.stringify([localStorage, sessionStorage]));
  expect(kept).not.toContain("eyJ");
  const cookies = Object.fromEntries((await context.cookies()).map((it) => [it.name, it]));
  expect(cookies["__Host-login"]).toBeUndefined();
  expect(cookies["__Host-session"]).toMatchObject({
    httpOnly: true,
    secure: true,
    sameSite: "Lax",
    path: "/",
  });
  expect(cookies.refresh).toMatchObject({ httpOnly: true, secure: true, sameSite: "Strict", path: "/auth" });

  // A form of another site cannot send the header.
  expect(await post("/auth/logout", {})).toBe(403);
  expect(await get("/api/me")).toBe(200);
  expect(await Promise.all([renew(), renew()])).toEqual([204, 204]);
  expect(await get("/api/me")).toBe(200);

  expect(await post("/auth/logout")).toBe(200);
  expect(await Promise.all(["/auth/me", "/api/me"].map(get))).toEqual([401, 401]);
  // The refresh token, put back as a thief would have it.
  await context.addCookies(Object.values(cookies).filter((it) => it.name === "refresh"));
  expect((await context.cookies()).map((it) => it.name)).toContain("refresh");
  expect(await post("/auth/refresh"), "the refresh token was revoked").toBe(401);
});

test("a test user signs in by one click", async ({ page }) => {
  await page.goto("/sign-in?next=/orders");
  await page.getByRole("link", { name: "Sign in", exact: true }).click();
  await page.getByRole("button", { name: "Continue as editor" }).click();
  await expect(page).toHaveURL(`${CONSOLE_URL}/orders`);
});

for (const provider of ["Google", "GitHub"]) {
  test(`somebody continues with ${provider}, and is told to ask for an invitation`, async ({ page }) => {
    await page.goto("/sign-in?next=/orders");
    await page.getByRole("link", { name: `Continue with ${provider}` }).click();
    await page.getByRole("link", { name: /Ada/ }).click();
    await expect(page.getByText(/invitation/i).first()).toBeVisible();
    expect(await page.evaluate(() => document.cookie)).toMatch(/^variant=\d+$/);
  });
}
