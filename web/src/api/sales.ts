/** Sales by region, channel and product, and of the last 30 days. */

import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { ProductSort } from "../lib/filters";
import { api, body } from "./client";
import { type Days, LIVE_MS, range } from "./queries";

export const regionSalesQuery = (days: Days) =>
  queryOptions({
    queryKey: ["sales-by-region", days],
    queryFn: ({ signal }) =>
      body(api.GET("/api/sales/by-region", { params: { query: range(days) }, signal })),
    placeholderData: keepPreviousData,
  });

export const channelSalesQuery = (days: Days) =>
  queryOptions({
    queryKey: ["sales-by-channel", days],
    queryFn: ({ signal }) =>
      body(api.GET("/api/sales/by-channel", { params: { query: range(days) }, signal })),
    placeholderData: keepPreviousData,
  });

export const productSalesQuery = (days: Days, sort: ProductSort, limit = 50) =>
  infiniteQueryOptions({
    queryKey: ["sales-by-product", days, sort, limit],
    queryFn: ({ pageParam, signal }) => {
      const query = { ...range(days), sort, limit, ...(pageParam && { cursor: pageParam }) };
      return body(api.GET("/api/sales/by-product", { params: { query }, signal }));
    },
    initialPageParam: "",
    getNextPageParam: (last) => last.page.nextCursor,
    placeholderData: keepPreviousData,
  });

export const lastMonthQuery = queryOptions({
  queryKey: ["last-month"],
  queryFn: ({ signal }) => body(api.GET("/api/sales/last-month", { signal })),
  refetchInterval: LIVE_MS,
});
