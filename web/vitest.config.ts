import { defineConfig } from "vitest/config";

// A time zone far from UTC: a day that depends on it would fail here.
process.env.TZ = "Pacific/Auckland";

export default defineConfig({ test: { include: ["src/**/*.test.ts"] } });
