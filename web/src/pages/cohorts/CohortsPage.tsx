import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { cohortsQuery, revenueCohortsQuery } from "../../api/cohorts";
import {
  COHORT_BASES,
  COHORT_MEASURES,
  type CohortBasis,
  type CohortMeasure,
  parseCohorts,
} from "../../lib/filters";
import { words } from "../../lib/format";
import { Card, Filters, Page } from "../../ui/Page";
import { SavedViews } from "../../ui/SavedViews";
import { AsOf } from "../../ui/stat/Freshness";
import { Async, Empty } from "../../ui/states/states";
import { CohortTable } from "./CohortTable";
import { byCustomers, byRevenue, currenciesOfCohorts } from "./cohortRows";

const BASES: Record<CohortBasis, string> = {
  order: "Customers by the month of their first confirmed order; active in months with one.",
  subscription:
    "Customers by their first month with recurring revenue at its end; active while they have any.",
};

const MEASURES: Record<CohortMeasure, string> = {
  customers: "Each cell is the share of the cohort that was active.",
  revenue: "Each cell is the net revenue of the cohort, as a share of that of its first month.",
};

export function CohortsPage() {
  const filter = useSearch({ from: "/console/cohorts" });
  const { basis = "order", measure = "customers" } = filter;
  const navigate = useNavigate();
  const change = (edited: Record<string, unknown>) =>
    void navigate({ to: "/cohorts", search: parseCohorts({ ...filter, ...edited }) });
  return (
    <Page
      title="Cohorts"
      lead="How many customers of each month came back in the months after, and what they brought. Months are UTC."
    >
      <Filters label="Cohorts">
        <label className="field">
          Based on
          <select value={basis} onChange={(event) => change({ basis: event.target.value })}>
            {COHORT_BASES.map((value) => (
              <option key={value} value={value}>
                {words(`${value}s`)}
              </option>
            ))}
          </select>
        </label>
        <label className="field">
          Measured by
          <select value={measure} onChange={(event) => change({ measure: event.target.value })}>
            {COHORT_MEASURES.map((value) => (
              <option key={value} value={value}>
                {words(value)}
              </option>
            ))}
          </select>
        </label>
        <SavedViews page="cohorts" query={filter} open={change} />
      </Filters>
      {measure === "customers" ? <ByCustomers basis={basis} /> : <ByRevenue basis={basis} />}
    </Page>
  );
}

function NoCohorts() {
  return (
    <Empty title="No customers in these months">
      <p>A cohort appears with the first customer of a month.</p>
    </Empty>
  );
}

function Explained({ basis, measure }: { basis: CohortBasis; measure: CohortMeasure }) {
  return (
    <p className="muted">
      {BASES[basis]} {MEASURES[measure]}
    </p>
  );
}

function ByCustomers({ basis }: { basis: CohortBasis }) {
  const answer = useQuery(cohortsQuery(basis));
  return (
    <Card title="Retention" note={<AsOf meta={answer.data?.meta} />}>
      <Explained basis={basis} measure="customers" />
      <Async answer={answer} height={440}>
        {({ data: { cohorts } }) =>
          cohorts.length === 0 ? (
            <NoCohorts />
          ) : (
            <CohortTable
              caption="Share of each cohort that was active, by months since its first"
              fileName={`cohorts-${basis}.csv`}
              rows={byCustomers(cohorts)}
            />
          )
        }
      </Async>
    </Card>
  );
}

function ByRevenue({ basis }: { basis: CohortBasis }) {
  const answer = useQuery(revenueCohortsQuery(basis));
  return (
    <Async answer={answer} height={440}>
      {({ data: { cohorts }, meta }) => {
        const currencies = currenciesOfCohorts(cohorts);
        if (currencies.length === 0) return <NoCohorts />;
        return currencies.map((currency) => (
          <Card key={currency} title={`Revenue, ${currency}`} note={<AsOf meta={meta} />}>
            <Explained basis={basis} measure="revenue" />
            <CohortTable
              caption={`Net revenue of each cohort in ${currency}, by months since its first`}
              fileName={`cohort-revenue-${basis}-${currency}.csv`}
              rows={byRevenue(cohorts, currency)}
            />
          </Card>
        ));
      }}
    </Async>
  );
}
