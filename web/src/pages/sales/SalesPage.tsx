import { useQuery } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import type { Schemas } from "../../api/queries";
import { lastMonthQuery } from "../../api/sales";
import type { Day } from "../../lib/days";
import { count, day, money, share } from "../../lib/format";
import { add, amount } from "../../lib/money";
import { currenciesOf, takingsIn } from "../../lib/takings";
import { MoneyByDay } from "../../ui/charts/MoneyByDay";
import { Card, Page, Stats } from "../../ui/Page";
import { AsOf, LivePill } from "../../ui/stat/Freshness";
import { Stat } from "../../ui/stat/Stat";
import { Async, Empty } from "../../ui/states/states";
import { Breakdown } from "./Breakdown";

type DaySales = Schemas["DaySales"];

export function SalesPage() {
  const answer = useQuery(lastMonthQuery);
  const filter = useSearch({ from: "/console/sales" });
  return (
    <Page
      title="Sales"
      lead="The last 30 days with today, day by day; below, any days by region, channel or product. Days are UTC."
      actions={
        <>
          <LivePill updatedAt={answer.dataUpdatedAt} />
          <button
            type="button"
            className="button"
            onClick={() => void answer.refetch()}
            disabled={answer.isFetching}
          >
            Refresh
          </button>
        </>
      }
    >
      <Async answer={answer} height={560}>
        {({ data: { days }, meta }) =>
          days.every((row) => row.orders === 0) ? (
            <Empty title="No sales in the last 30 days">
              <p>Sales appear here seconds after an order is confirmed.</p>
            </Empty>
          ) : (
            <>
              <Totals days={days} />
              {currenciesOf(days).map((currency) => (
                <Card key={currency} title={`Net revenue by day, ${currency}`} note={<AsOf meta={meta} />}>
                  <MoneyByDay days={days} currency={currency} />
                </Card>
              ))}
            </>
          )
        }
      </Async>
      <Breakdown filter={filter} />
    </Page>
  );
}

/** The day with the most, in one currency. */
function bestDay(days: readonly DaySales[], currency: string): DaySales | undefined {
  const net = (row: DaySales) => takingsIn(row, currency)?.net.amountMinor ?? 0;
  return days.toSorted((a, b) => net(b) - net(a))[0];
}

function Totals({ days }: { days: readonly DaySales[] }) {
  const total = (of: (row: DaySales) => number) => days.reduce((sum, row) => sum + of(row), 0);
  const confirmed = total((row) => row.confirmed);
  const settled = confirmed + total((row) => row.rejected + row.cancelled);
  return (
    <Stats>
      {currenciesOf(days).map((currency) => {
        const net = days.reduce(
          (sum, row) => {
            const ofDay = takingsIn(row, currency)?.net;
            return ofDay ? add(sum, ofDay) : sum;
          },
          amount(0, currency),
        );
        const best = bestDay(days, currency);
        return (
          <Stat
            key={currency}
            name={`Net revenue, ${currency}`}
            value={money(net)}
            note={best && `best day: ${day(best.day as Day)}, ${money(takingsIn(best, currency)?.net)}`}
          />
        );
      })}
      <Stat name="Orders" value={count(total((row) => row.orders))} note={`${count(confirmed)} confirmed`} />
      <Stat
        name="Success rate"
        value={share(settled === 0 ? null : confirmed / settled)}
        formula="confirmed / (confirmed + rejected + cancelled)"
      />
    </Stats>
  );
}
