/** The fixture of the tests on a running stack: a page with the session of an administrator. */

import { test as base, expect } from "@playwright/test";

const { CONSOLE_URL = "", CONSOLE_TOKEN = "", CONSOLE_BUCKETS = "" } = process.env;
/** The console, and the buckets of files that people send and save. */
const KNOWN = [CONSOLE_URL, "blob:", ...CONSOLE_BUCKETS.split(" ")];

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
      if (!KNOWN.some((address) => request.url().startsWith(address))) complaints.push(request.url());
    });
    await use(page);
    expect(complaints, "errors in the console, and requests to other origins").toEqual([]);
  },
});

export { expect };
