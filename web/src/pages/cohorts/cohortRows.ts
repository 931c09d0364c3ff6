/** Cohorts as their table shows them: by customers, and by revenue in one currency. */

import type { Schemas } from "../../api/queries";
import type { Month } from "../../lib/days";
import { count, money, month, WITHHELD } from "../../lib/format";
import { major } from "../../lib/money";
import type { CohortCell, CohortRow } from "./CohortTable";

export function byCustomers(cohorts: readonly Schemas["Cohort"][]): CohortRow[] {
  return cohorts.map(({ months, ...cohort }) => ({
    ...cohort,
    cells: months.map(({ month: inMonth, active, retention }): CohortCell | null => {
      if (retention === null) return null;
      const customers = active === null ? WITHHELD : count(active);
      const detail = `${customers} active in ${month(inMonth as Month)}`;
      return { month: inMonth, share: retention, detail, csv: retention };
    }),
  }));
}

type RevenueCohort = Schemas["RevenueCohort"];

/** Every currency that occurs has a table of its own. */
export function currenciesOfCohorts(cohorts: readonly RevenueCohort[]): string[] {
  const all = cohorts.flatMap(({ months }) => months.flatMap(({ revenue }) => revenue ?? []));
  return [...new Set(all.map(({ currency }) => currency))].sort();
}

export function byRevenue(cohorts: readonly RevenueCohort[], currency: string): CohortRow[] {
  return cohorts.map(({ months, ...cohort }) => ({
    ...cohort,
    cells: months.map(({ month: inMonth, revenue }): CohortCell | null => {
      if (revenue === null) return null;
      const its = revenue.find((each) => each.currency === currency);
      const detail = `${money(its?.net)} in ${month(inMonth as Month)}`;
      return { month: inMonth, share: its?.retention ?? null, detail, csv: its ? major(its.net) : 0 };
    }),
  }));
}
