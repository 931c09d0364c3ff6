import { defineConfig } from "@playwright/test";
import shared from "./playwright.config";

/** The console on a running stack: CONSOLE_URL says where, CONSOLE_TOKEN whose session it is. */
export default defineConfig({
  ...shared,
  testDir: "tests/stack",
  testIgnore: [],
  grep: /./,
  // Orders go through queues and functions, on a machine that runs all of them.
  expect: { timeout: 90_000 },
  timeout: 240_000,
  use: { ...shared.use, baseURL: process.env.CONSOLE_URL ?? "" },
});
