import { useQuery } from "@tanstack/react-query";
import { indicatorsQuery } from "../../api/queries";
import type { Month } from "../../lib/days";
import { count, MISSING, money, month } from "../../lib/format";
import { Card, Stats } from "../../ui/Page";
import { AsOf } from "../../ui/stat/Freshness";
import { Stat } from "../../ui/stat/Stat";
import { Async } from "../../ui/states/states";

/** What follows from MRR, each with its formula. */
export function Indicators({ of }: { of: Month }) {
  const answer = useQuery(indicatorsQuery(of));
  return (
    <Card title={`Indicators, ${month(of)}`} note={<AsOf meta={answer.data?.meta} />}>
      <Async answer={answer} height={160}>
        {({ data: { months, formulas } }) => {
          const its = months[0];
          if (!its) return <p className="muted">Nothing is known of this month.</p>;
          return (
            <Stats>
              <Stat
                name="Annual recurring revenue (ARR)"
                value={money(its.annualRecurringRevenue)}
                note={`${count(its.customers)} customers`}
                formula={formulas.annualRecurringRevenue}
              />
              <Stat
                name="Revenue per account (ARPA)"
                value={money(its.averageRevenuePerAccount)}
                formula={formulas.averageRevenuePerAccount}
              />
              <Stat
                name="Quick ratio"
                value={its.quickRatio === null ? MISSING : its.quickRatio.toFixed(2)}
                note={its.quickRatio === null ? "nothing was lost" : "above 1: more came than left"}
                formula={formulas.quickRatio}
              />
              <Stat
                name="Lifetime value (LTV)"
                value={money(its.lifetimeValue)}
                formula={formulas.lifetimeValue}
              />
            </Stats>
          );
        }}
      </Async>
    </Card>
  );
}
