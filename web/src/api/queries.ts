/** One question to the API, one function here. Keys hold the parameters, so a filter is a cache entry. */

import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { addDays, addMonths, type Day, type Month } from "../lib/days";
import type { MovementKind, OrdersFilter } from "../lib/filters";
import { api, body } from "./client";
import type { components } from "./schema";

export type Schemas = components["schemas"];
export type Meta = Schemas["Meta"];

export const LIVE_MS = 10_000;
/** Shown as stale once three updates are missing. */
export const STALE_AFTER_SECONDS = (3 * LIVE_MS) / 1_000;

/** Both days included, as people say it; the API excludes the last. */
export interface Days {
  readonly from: Day;
  readonly to: Day;
}

export const range = ({ from, to }: Days) => ({ from, to: addDays(to, 1) });

export const summaryQuery = (days: Days, live = false) =>
  queryOptions({
    queryKey: ["summary", days],
    queryFn: ({ signal }) =>
      body(api.GET("/api/metrics/summary", { params: { query: range(days) }, signal })),
    refetchInterval: live ? LIVE_MS : false,
    placeholderData: keepPreviousData,
  });

/** A filter as the API takes it: without the columns, and with the day after the last. */
export const ordersParams = ({ without, to, ...others }: OrdersFilter) => ({
  ...others,
  ...(to && { to: addDays(to, 1) }),
});

export const ordersQuery = ({ without, ...filter }: OrdersFilter, limit = 50) =>
  infiniteQueryOptions({
    queryKey: ["orders", filter, limit],
    queryFn: ({ pageParam, signal }) => {
      const query = { limit, ...ordersParams(filter), ...(pageParam && { cursor: pageParam }) };
      return body(api.GET("/api/orders", { params: { query }, signal }));
    },
    initialPageParam: "",
    getNextPageParam: (last) => last.page.nextCursor,
    placeholderData: keepPreviousData,
  });

export const latestOrdersQuery = queryOptions({
  queryKey: ["orders", "latest"],
  queryFn: ({ signal }) => body(api.GET("/api/orders", { params: { query: { limit: 8 } }, signal })),
  refetchInterval: LIVE_MS,
});

export const orderQuery = (orderId: string) =>
  queryOptions({
    queryKey: ["order", orderId],
    queryFn: ({ signal }) =>
      body(api.GET("/api/orders/{orderId}", { params: { path: { orderId } }, signal })),
    refetchInterval: LIVE_MS,
  });

export const mrrHistoryQuery = (from: Month, to: Month) =>
  queryOptions({
    queryKey: ["mrr-history", from, to],
    queryFn: ({ signal }) =>
      body(
        api.GET("/api/metrics/mrr/history", { params: { query: { from, to: addMonths(to, 1) } }, signal }),
      ),
    staleTime: 60_000,
    placeholderData: keepPreviousData,
  });

export const mrrQuery = (month: Month) =>
  queryOptions({
    queryKey: ["mrr", month],
    queryFn: ({ signal }) => body(api.GET("/api/metrics/mrr", { params: { query: { month } }, signal })),
    staleTime: 60_000,
  });

export const churnQuery = (month: Month) =>
  queryOptions({
    queryKey: ["churn", month],
    queryFn: ({ signal }) => body(api.GET("/api/metrics/churn", { params: { query: { month } }, signal })),
    staleTime: 60_000,
    placeholderData: keepPreviousData,
  });

export const indicatorsQuery = (month: Month) =>
  queryOptions({
    queryKey: ["indicators", month],
    queryFn: ({ signal }) => {
      const query = { from: month, to: addMonths(month, 1) };
      return body(api.GET("/api/metrics/indicators", { params: { query }, signal }));
    },
    staleTime: 60_000,
    placeholderData: keepPreviousData,
  });

export const movementsQuery = (month: Month, kind: MovementKind | undefined, limit = 50) =>
  infiniteQueryOptions({
    queryKey: ["movements", month, kind, limit],
    queryFn: ({ pageParam, signal }) => {
      const query = { month, limit, ...(kind && { kind }), ...(pageParam && { cursor: pageParam }) };
      return body(api.GET("/api/metrics/mrr/movements", { params: { query }, signal }));
    },
    initialPageParam: "",
    getNextPageParam: (last) => last.page.nextCursor,
    placeholderData: keepPreviousData,
  });

export const regionsQuery = (days: Days) =>
  queryOptions({
    queryKey: ["regions", days],
    queryFn: ({ signal }) =>
      body(api.GET("/api/pipeline/by-region", { params: { query: range(days) }, signal })),
    placeholderData: keepPreviousData,
  });

export const productsQuery = (days: Days) =>
  queryOptions({
    queryKey: ["products", days],
    queryFn: ({ signal }) =>
      body(api.GET("/api/pipeline/by-product", { params: { query: range(days) }, signal })),
    placeholderData: keepPreviousData,
  });

export type OrderCommand = "cancel" | "refund";

export interface OrderRequest {
  readonly command: OrderCommand;
  readonly reason: string | null;
  /** Whether the goods are back on the shelf. */
  readonly restock: boolean;
  /** What to give back; null: all that is left of the payment. */
  readonly amountMinor: number | null;
  /** Tells this request from another of the same amount. */
  readonly key: string;
}

/** Accepted, not done: the pipeline decides, and the order shows it within seconds. */
export async function commandOrder(
  orderId: string,
  { command, reason, restock, amountMinor, key }: OrderRequest,
): Promise<void> {
  const params = { path: { orderId } };
  await (command === "cancel"
    ? api.POST("/api/orders/{orderId}/cancel", { params, body: { reason } })
    : api.POST("/api/orders/{orderId}/refund", {
        params: { ...params, header: { "Idempotency-Key": key } },
        body: { amountMinor, reason, restock },
      }));
}
