import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// Everything is served from one origin; hashed files are immutable, index.html is not cached.
export default defineConfig({
  plugins: [react()],
  build: {
    target: "es2023",
    sourcemap: true,
    // A strict content security policy forbids data: URLs in scripts and styles.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        // What every page needs is two files: they compress better, and cost fewer requests.
        codeSplitting: {
          groups: [
            { name: "vendor", test: /node_modules\/(react|react-dom|scheduler|@tanstack|openapi-fetch)\// },
            {
              name: "console",
              // Without what the first page does not need.
              test: /src\/(?!.*(ColumnsChoice|api\/cohorts|api\/sales|csv|datasets|governance|organization|views|webhooks))(api|lib|ui\/(Page|stat|states|table))/,
            },
          ],
        },
      },
    },
  },
});
