/** Stock of each product, and changes of it. */

import { infiniteQueryOptions, keepPreviousData } from "@tanstack/react-query";
import type { InventoryFilter } from "../lib/filters";
import { api, body } from "./client";
import type { Schemas } from "./queries";

export type StockedProduct = Schemas["StockedProduct"];

/** What sells most comes first: it runs out first. */
export const inventoryQuery = (filter: InventoryFilter, limit = 50) =>
  infiniteQueryOptions({
    queryKey: ["inventory", filter, limit],
    queryFn: ({ pageParam, signal }) => {
      const query = { limit, ...filter, ...(pageParam && { cursor: pageParam }) };
      return body(api.GET("/api/inventory", { params: { query }, signal }));
    },
    initialPageParam: "",
    getNextPageParam: (last) => last.page.nextCursor,
    placeholderData: keepPreviousData,
  });

/** Not to be repeated blindly: a second one changes the stock once more. */
export async function adjustStock(sku: string, delta: number): Promise<Schemas["StockLevels"]> {
  const params = { path: { sku } };
  return (await body(api.POST("/api/inventory/{sku}/adjust", { params, body: { delta } }))).data;
}
