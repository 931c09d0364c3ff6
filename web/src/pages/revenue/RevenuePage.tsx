import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { churnQuery, mrrHistoryQuery, type Schemas } from "../../api/queries";
import { addMonths, type Month, monthOf, monthsBetween, today } from "../../lib/days";
import { MONTH_COUNTS, parseRevenue, type RevenueFilter } from "../../lib/filters";
import { count, money, month, share } from "../../lib/format";
import { Card, Filters, Page, Stats } from "../../ui/Page";
import { SavedViews } from "../../ui/SavedViews";
import { AsOf } from "../../ui/stat/Freshness";
import { Stat } from "../../ui/stat/Stat";
import { Async, Empty } from "../../ui/states/states";
import { Indicators } from "./Indicators";
import { MrrMovements } from "./MrrMovements";
import { WhoMoved } from "./WhoMoved";

const DEFAULT_MONTHS = "12";

export function RevenuePage() {
  const filter = useSearch({ from: "/console/revenue" });
  const thisMonth = monthOf(today(new Date()));
  const navigate = useNavigate();
  const change = (edited: Record<string, unknown>) =>
    void navigate({ to: "/revenue", search: parseRevenue({ ...filter, ...edited }) });
  const selected = filter.month ?? thisMonth;
  const shown = Number(filter.months ?? DEFAULT_MONTHS);
  const months = monthsBetween(addMonths(thisMonth, 1 - shown), thisMonth);
  return (
    <Page title="Revenue" lead="Monthly recurring revenue: what came, what grew, what left. Months are UTC.">
      <RevenueFilters filter={filter} months={months} thisMonth={thisMonth} change={change} />
      <Movements from={addMonths(thisMonth, 1 - shown)} to={thisMonth} />
      <Indicators of={selected} />
      <Churn of={selected} />
      <WhoMoved of={selected} kind={filter.kind} change={(kind) => change({ kind })} />
    </Page>
  );
}

interface RevenueFiltersProps {
  filter: RevenueFilter;
  months: readonly Month[];
  thisMonth: Month;
  change: (edited: Record<string, unknown>) => void;
}

function RevenueFilters({ filter, months, thisMonth, change }: RevenueFiltersProps) {
  const selected = filter.month ?? thisMonth;
  const choices = months.includes(selected) ? months : [selected, ...months];
  return (
    <Filters label="Months">
      <label className="field">
        Movements of
        <select
          value={filter.months ?? DEFAULT_MONTHS}
          onChange={(event) => change({ months: event.target.value })}
        >
          {MONTH_COUNTS.map((value) => (
            <option key={value} value={value}>
              {value} months
            </option>
          ))}
        </select>
      </label>
      <label className="field">
        One month in detail
        <select value={selected} onChange={(event) => change({ month: event.target.value })}>
          {choices.toReversed().map((value) => (
            <option key={value} value={value}>
              {month(value)}
            </option>
          ))}
        </select>
      </label>
      <SavedViews page="revenue" query={filter} open={change} />
    </Filters>
  );
}

function isEmpty({ opening, closing, churn }: Schemas["Mrr"]): boolean {
  return opening.customers + closing.customers + churn.customers === 0;
}

function Movements({ from, to }: { from: Month; to: Month }) {
  const answer = useQuery(mrrHistoryQuery(from, to));
  return (
    <Card title="MRR movements by month" note={<AsOf meta={answer.data?.meta} />}>
      <Async answer={answer} height={420}>
        {({ data: { months } }) =>
          months.every(isEmpty) ? (
            <Empty title="No recurring revenue in these months">
              <p>It appears with the first subscription.</p>
            </Empty>
          ) : (
            <MrrMovements rows={months} />
          )
        }
      </Async>
    </Card>
  );
}

function Churn({ of }: { of: Month }) {
  const answer = useQuery(churnQuery(of));
  return (
    <Card title={`Churn and retention, ${month(of)}`} note={<AsOf meta={answer.data?.meta} />}>
      <Async answer={answer} height={320}>
        {({ data }) => <ChurnStats of={data} />}
      </Async>
    </Card>
  );
}

function ChurnStats({
  of: { opening, churn, contraction, expansion, formulas, ...rates },
}: {
  of: Schemas["Churn"];
}) {
  return (
    <Stats>
      <Stat
        name="Net revenue retention (NRR)"
        value={share(rates.netRevenueRetention)}
        note={`${money(expansion.amount)} of expansion`}
        formula={formulas.netRevenueRetention}
      />
      <Stat
        name="Gross revenue retention (GRR)"
        value={share(rates.grossRevenueRetention)}
        note={`of ${money(opening.amount)} at the start`}
        formula={formulas.grossRevenueRetention}
      />
      <Stat
        name="Gross revenue churn"
        value={share(rates.grossRevenueChurn)}
        note={`${money(churn.amount)} left, ${money(contraction.amount)} shrank`}
        formula={formulas.grossRevenueChurn}
      />
      <Stat
        name="Net revenue churn"
        value={share(rates.netRevenueChurn)}
        note="negative where expansion is larger than what was lost"
        formula={formulas.netRevenueChurn}
      />
      <Stat
        name="Customer churn"
        value={share(rates.logoChurn)}
        note={`${count(churn.customers)} of ${count(opening.customers)} customers`}
        formula={formulas.logoChurn}
      />
    </Stats>
  );
}
