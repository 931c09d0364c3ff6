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
  parseDays,
  parseInventory,
  parseNext,
  parseOrders,
  parseRevenue,
  parseSearch,
  stringifySearch,
} from "./lib/filters";
import { NotFoundPage } from "./pages/NotFoundPage";
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
  component: lazyRouteComponent(() => import("./pages/overview/OverviewPage"), "OverviewPage"),
});

const orders = createRoute({
  getParentRoute: () => signedIn,
  path: "/orders",
  validateSearch: parseOrders,
  component: lazyRouteComponent(() => import("./pages/orders/OrdersPage"), "OrdersPage"),
});

const order = createRoute({
  getParentRoute: () => signedIn,
  path: "/orders/$orderId",
  component: lazyRouteComponent(() => import("./pages/order/OrderPage"), "OrderPage"),
});

const inventory = createRoute({
  getParentRoute: () => signedIn,
  path: "/inventory",
  validateSearch: parseInventory,
  component: lazyRouteComponent(() => import("./pages/inventory/InventoryPage"), "InventoryPage"),
});

const revenue = createRoute({
  getParentRoute: () => signedIn,
  path: "/revenue",
  validateSearch: parseRevenue,
  component: lazyRouteComponent(() => import("./pages/revenue/RevenuePage"), "RevenuePage"),
});

const cohorts = createRoute({
  getParentRoute: () => signedIn,
  path: "/cohorts",
  validateSearch: parseCohorts,
  component: lazyRouteComponent(() => import("./pages/cohorts/CohortsPage"), "CohortsPage"),
});

const pipeline = createRoute({
  getParentRoute: () => signedIn,
  path: "/pipeline",
  validateSearch: parseDays,
  component: lazyRouteComponent(() => import("./pages/pipeline/PipelinePage"), "PipelinePage"),
});

const sales = createRoute({
  getParentRoute: () => signedIn,
  path: "/sales",
  component: lazyRouteComponent(() => import("./pages/sales/SalesPage"), "SalesPage"),
});

const settings = createRoute({
  getParentRoute: () => signedIn,
  path: "/settings",
  component: lazyRouteComponent(() => import("./pages/settings/SettingsPage"), "SettingsPage"),
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
  component: lazyRouteComponent(() => import("./pages/sign-in/SignInPage"), "SignInPage"),
});

const invitation = createRoute({
  getParentRoute: () => root,
  path: "/invitation",
  component: lazyRouteComponent(() => import("./pages/invitation/InvitationPage"), "InvitationPage"),
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
    settings,
    anythingElse,
  ]),
  signIn,
  invitation,
]);

function FailedPage({ error, reset }: ErrorComponentProps) {
  return <Problem error={error instanceof Error ? error : new Error(String(error))} retry={reset} />;
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
