import {
  createRootRoute,
  createRoute,
  createRouter,
  type ErrorComponentProps,
  lazyRouteComponent,
  Outlet,
} from "@tanstack/react-router";
import {
  parseCohorts,
  parseDataset,
  parseDays,
  parseInventory,
  parseNext,
  parseOrders,
  parseRevenue,
  parseSales,
  parseSearch,
  parseWebhook,
  stringifySearch,
} from "./lib/filters";
import { OutOfDate, part } from "./lib/load";
import { NotFoundPage } from "./pages/NotFoundPage";
import { Page } from "./ui/Page";
import { Shell } from "./ui/shell/Shell";
import { Problem } from "./ui/states/states";

const root = createRootRoute({ component: Outlet });

const signedIn = createRoute({
  getParentRoute: () => root,
  id: "console",
  component: Shell,
  notFoundComponent: NotFoundPage,
});

// Constants, not inline arguments: those would lose the types of their search parameters.
const overview = createRoute({
  getParentRoute: () => signedIn,
  path: "/",
  component: lazyRouteComponent(
    part(() => import("./pages/overview/OverviewPage")),
    "OverviewPage",
  ),
});

const orders = createRoute({
  getParentRoute: () => signedIn,
  path: "/orders",
  validateSearch: parseOrders,
  component: lazyRouteComponent(
    part(() => import("./pages/orders/OrdersPage")),
    "OrdersPage",
  ),
});

const order = createRoute({
  getParentRoute: () => signedIn,
  path: "/orders/$orderId",
  component: lazyRouteComponent(
    part(() => import("./pages/order/OrderPage")),
    "OrderPage",
  ),
});

const inventory = createRoute({
  getParentRoute: () => signedIn,
  path: "/inventory",
  validateSearch: parseInventory,
  component: lazyRouteComponent(
    part(() => import("./pages/inventory/InventoryPage")),
    "InventoryPage",
  ),
});

const revenue = createRoute({
  getParentRoute: () => signedIn,
  path: "/revenue",
  validateSearch: parseRevenue,
  component: lazyRouteComponent(
    part(() => import("./pages/revenue/RevenuePage")),
    "RevenuePage",
  ),
});

const cohorts = createRoute({
  getParentRoute: () => signedIn,
  path: "/cohorts",
  validateSearch: parseCohorts,
  component: lazyRouteComponent(
    part(() => import("./pages/cohorts/CohortsPage")),
    "CohortsPage",
  ),
});

const pipeline = createRoute({
  getParentRoute: () => signedIn,
  path: "/pipeline",
  validateSearch: parseDays,
  component: lazyRouteComponent(
    part(() => import("./pages/pipeline/PipelinePage")),
    "PipelinePage",
  ),
});

const sales = createRoute({
  getParentRoute: () => signedIn,
  path: "/sales",
  validateSearch: parseSales,
  component: lazyRouteComponent(
    part(() => import("./pages/sales/SalesPage")),
    "SalesPage",
  ),
});

const datasets = createRoute({
  getParentRoute: () => signedIn,
  path: "/datasets",
  validateSearch: parseDataset,
  component: lazyRouteComponent(
    part(() => import("./pages/datasets/DatasetsPage")),
    "DatasetsPage",
  ),
});

// Not /webhooks: that belongs to payment providers (infra/modules/site/edge.js).
const webhooks = createRoute({
  getParentRoute: () => signedIn,
  path: "/hooks",
  validateSearch: parseWebhook,
  component: lazyRouteComponent(
    part(() => import("./pages/webhooks/WebhooksPage")),
    "WebhooksPage",
  ),
});

const settings = createRoute({
  getParentRoute: () => signedIn,
  path: "/settings",
  component: lazyRouteComponent(
    part(() => import("./pages/settings/SettingsPage")),
    "SettingsPage",
  ),
});

const anythingElse = createRoute({
  getParentRoute: () => signedIn,
  path: "/$",
  component: NotFoundPage,
});

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: parseNext,
  component: lazyRouteComponent(
    part(() => import("./pages/sign-in/SignInPage")),
    "SignInPage",
  ),
});

const invitation = createRoute({
  getParentRoute: () => root,
  path: "/invitation",
  component: lazyRouteComponent(
    part(() => import("./pages/invitation/InvitationPage")),
    "InvitationPage",
  ),
});

const routes = root.addChildren([
  signedIn.addChildren([
    overview,
    orders,
    order,
    inventory,
    revenue,
    cohorts,
    pipeline,
    sales,
    datasets,
    webhooks,
    settings,
    anythingElse,
  ]),
  signIn,
  invitation,
]);

function FailedPage({ error, reset }: ErrorComponentProps) {
  return (
    <Page title={error instanceof OutOfDate ? "Out of date" : "Something went wrong"}>
      <Problem error={error instanceof Error ? error : new Error(String(error))} retry={reset} />
    </Page>
  );
}

export const router = createRouter({
  routeTree: routes,
  parseSearch,
  stringifySearch,
  scrollRestoration: true,
  defaultPreload: "intent",
  defaultErrorComponent: FailedPage,
  defaultNotFoundComponent: NotFoundPage,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
