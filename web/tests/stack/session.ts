/** The fixture of the tests on a running stack: a page with the session of an administrator. */

import { test as base, expect } from "@playwright/test";

const { CONSOLE_URL = "", CONSOLE_TOKEN = "" } = process.env;

export const test = base.extend({
  page: async ({ page, context }, use) => {
    await context.addCookies([
      {
        name: "__Host-session",
        value: CONSOLE_TOKEN,
        // Chromium takes a secure cookie for this machine, but its protocol does not.
        url: CONSOLE_URL.replace("http:", "https:"),
        secure: true,
        httpOnly: true,
        sameSite: "Lax",
      },
    ]);
    const complaints: string[] = [];
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("request", (request) => {
      if (!request.url().startsWith(CONSOLE_URL) && !request.url().startsWith("blob:"))
        complaints.push(request.url());
    });
    await use(page);
    expect(complaints, "errors in the console, and requests to other origins").toEqual([]);
  },
});

export { expect };
