import { QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ApiProblem, isWorthRetrying } from "./api/problem";
import { loadFlags } from "./lib/flags";
import { OutOfDate } from "./lib/load";
import { router } from "./router";
import "./ui/tokens.css";
import "./ui/global.css";

/** The session has ended, and renewing it failed: sign in, then come back to this page. */
function signInAgain(): void {
  const { pathname, href } = router.state.location;
  // Invitations are opened by people who have never signed in: their page says what to do.
  if (pathname !== "/sign-in" && pathname !== "/invitation")
    void router.navigate({ to: "/sign-in", search: { next: href } });
}

const queries = new QueryClient({
  queryCache: new QueryCache({
    onError: (error) => {
      if (error instanceof ApiProblem && error.status === 401) signInAgain();
    },
  }),
  defaultOptions: {
    queries: {
      // A request that cannot be sent fails at once and says so, rather than waiting for a connection.
      networkMode: "always",
      retry: (failures, error) => failures < 1 && isWorthRetrying(error),
      retryDelay: 500,
      staleTime: 5_000,
    },
  },
});

const place = document.getElementById("root");
if (!place) throw new Error("index.html has no element with the id root");
await loadFlags();
createRoot(place, {
  // A page says it itself when it is out of date; any other error is a defect, and loud.
  onCaughtError: (error) => {
    if (!(error instanceof OutOfDate)) reportError(error);
  },
}).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
