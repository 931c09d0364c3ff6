import { existsSync } from "node:fs";
import { defineConfig } from "@playwright/test";

const CHROMIUM = "/usr/bin/chromium";
if (!existsSync(CHROMIUM)) throw new Error(`${CHROMIUM} is missing: apt-get install chromium`);

export default defineConfig({
  testDir: "tests",
  testIgnore: "stack/**",
  // To try some of them alone: a part of their names.
  grep: new RegExp(process.env.PULSEQUEUE_BROWSER_TESTS ?? ""),
  outputDir: "test-results",
  workers: 1,
  // A busy machine makes a page slow, not wrong.
  timeout: 120_000,
  expect: { timeout: 30_000 },
  reporter: "line",
  use: {
    launchOptions: { executablePath: CHROMIUM, args: ["--no-sandbox"] },
    actionTimeout: 30_000,
    viewport: { width: 1440, height: 900 },
    locale: "en-GB",
    timezoneId: "Pacific/Auckland",
  },
});
