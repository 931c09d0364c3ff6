/** Saved views: filters of a page under a name, for oneself or for the organisation. */

import { queryOptions } from "@tanstack/react-query";
import { api, body } from "./client";

export const viewsQuery = queryOptions({
  queryKey: ["views"],
  queryFn: ({ signal }) => body(api.GET("/api/views", { signal })),
  staleTime: 60_000,
});

export interface NewView {
  readonly page: string;
  readonly name: string;
  readonly query: Record<string, string>;
  readonly shared: boolean;
}

export function saveView(view: NewView) {
  return body(api.POST("/api/views", { body: view }));
}

export function removeView(viewId: string) {
  return body(api.DELETE("/api/views/{viewId}", { params: { path: { viewId } } }));
}
