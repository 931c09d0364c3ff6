/** Who sees which metric, and under which rules. */

import { queryOptions } from "@tanstack/react-query";
import { api, body } from "./client";
import type { Schemas } from "./queries";

export type MetricGovernance = Schemas["MetricGovernance"];
/** What is left out stays as it is; the generated type has the defaults as required. */
export type GovernanceChange = Partial<Schemas["GovernanceChange"]>;
export type MetricName = "orders" | "mrr" | "churn" | "cohorts" | "summary" | "pipeline" | "sales";

export const governanceQuery = queryOptions({
  queryKey: ["governance"],
  queryFn: ({ signal }) => body(api.GET("/api/governance", { signal })),
});

export function changeGovernance(metric: MetricName, change: GovernanceChange) {
  return body(
    api.PATCH("/api/governance/{metric}", {
      params: { path: { metric } },
      body: change as Schemas["GovernanceChange"],
    }),
  );
}
