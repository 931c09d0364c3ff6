import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { cohortsQuery } from "../../api/queries";
import { COHORT_BASES, type CohortBasis, parseCohorts } from "../../lib/filters";
import { words } from "../../lib/format";
import { Card, Filters, Page } from "../../ui/Page";
import { AsOf } from "../../ui/stat/Freshness";
import { Async, Empty } from "../../ui/states/states";
import { CohortTable } from "./CohortTable";

const EXPLAINED: Record<CohortBasis, string> = {
  order: "Customers by the month of their first confirmed order; active in months with one.",
  subscription:
    "Customers by their first month with recurring revenue at its end; active while they have any.",
};

export function CohortsPage() {
  const { basis = "order" } = useSearch({ from: "/console/cohorts" });
  const navigate = useNavigate();
  const answer = useQuery(cohortsQuery(basis));
  return (
    <Page
      title="Cohorts"
      lead="How many customers of each month came back in the months after. Months are UTC."
    >
      <Filters label="Basis">
        <label className="field">
          Based on
          <select
            value={basis}
            onChange={(event) =>
              void navigate({ to: "/cohorts", search: parseCohorts({ basis: event.target.value }) })
            }
          >
            {COHORT_BASES.map((value) => (
              <option key={value} value={value}>
                {words(`${value}s`)}
              </option>
            ))}
          </select>
        </label>
      </Filters>
      <Card title="Retention" note={<AsOf meta={answer.data?.meta} />}>
        <p className="muted">{EXPLAINED[basis]}</p>
        <Async answer={answer} height={440}>
          {({ data }) =>
            data.cohorts.length === 0 ? (
              <Empty title="No customers in these months">
                <p>A cohort appears with the first customer of a month.</p>
              </Empty>
            ) : (
              <CohortTable cohorts={data.cohorts} basis={basis} />
            )
          }
        </Async>
      </Card>
    </Page>
  );
}
