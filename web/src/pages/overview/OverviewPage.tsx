import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { csvAddress } from "../../api/csv";
import {
  churnQuery,
  latestOrdersQuery,
  mrrQuery,
  range,
  regionsQuery,
  type Schemas,
  summaryQuery,
} from "../../api/queries";
import { type Day, type Month, monthOf, today } from "../../lib/days";
import { daysOf } from "../../lib/filters";
import { isOn } from "../../lib/flags";
import { count, money, month, share } from "../../lib/format";
import { currenciesOf } from "../../lib/takings";
import { Card, Page, Stats } from "../../ui/Page";
import { AsOf, LivePill } from "../../ui/stat/Freshness";
import { Stat } from "../../ui/stat/Stat";
import { Async, Empty } from "../../ui/states/states";
import { DataTable } from "../../ui/table/DataTable";
import { salesColumns } from "../../ui/table/salesColumns";
import { orderColumns } from "../orders/orderColumns";
import { NeedsYou } from "./NeedsYou";

const LATEST = orderColumns.filter(({ title }) =>
  ["Order", "Status", "Region", "Amount", "Placed (UTC)"].includes(title),
);

export function OverviewPage() {
  const now = today(new Date());
  return (
    <Page
      title="Overview"
      lead="Orders now, the last 30 days, and recurring revenue of this month. Days are UTC."
    >
      {isOn("tasks-first") && <NeedsYou day={now} />}
      <Today day={now} />
      {!isOn("tasks-first") && <NeedsYou day={now} />}
      <LastThirtyDays />
      <Recurring of={monthOf(now)} />
      <LatestOrders />
      <Regions />
    </Page>
  );
}

function Today({ day }: { day: Day }) {
  const answer = useQuery(summaryQuery({ from: day, to: day }, true));
  return (
    <Card title="Today" note={<LivePill updatedAt={answer.dataUpdatedAt} />}>
      <Async answer={answer} height={112}>
        {({ data: { current, previous } }) => (
          <Stats>
            <Stat name="Orders" value={count(current.orders)} note={`${count(previous.orders)} yesterday`} />
            <Stat
              name="Confirmed"
              value={count(current.confirmed)}
              note={`${count(previous.confirmed)} yesterday`}
            />
            <Stat
              name="Rejected or cancelled"
              value={count(current.rejected + current.cancelled)}
              note={`${count(previous.rejected + previous.cancelled)} yesterday`}
            />
            <Stat
              name="Success rate"
              value={share(current.successRate)}
              note={`${share(previous.successRate)} yesterday`}
            />
          </Stats>
        )}
      </Async>
    </Card>
  );
}

function before(previous: Schemas["Sales"], currency: string): string {
  const takings = previous.takings.find((each) => each.currency === currency);
  return `${money(takings?.revenue)} in the 30 days before`;
}

function LastThirtyDays() {
  const answer = useQuery(summaryQuery(daysOf({}, new Date())));
  return (
    <Card title="Last 30 days" note={<AsOf meta={answer.data?.meta} />}>
      <Async answer={answer} height={112}>
        {({ data: { current, previous, change } }) => (
          <Stats>
            {current.takings.map(({ currency, revenue }) => (
              <Stat
                key={currency}
                name={`Revenue, ${currency}`}
                value={money(revenue)}
                change={change.takings.find((each) => each.currency === currency)?.revenue ?? null}
                moreIsGood
                note={before(previous, currency)}
              />
            ))}
            <Stat
              name="Orders"
              value={count(current.orders)}
              change={change.orders}
              moreIsGood
              note={`${count(previous.orders)} in the 30 days before`}
            />
            <Stat
              name="Success rate"
              value={share(current.successRate)}
              change={change.successRate}
              moreIsGood
              note={`${share(previous.successRate)} before`}
              formula="confirmed / (confirmed + rejected + cancelled)"
            />
          </Stats>
        )}
      </Async>
    </Card>
  );
}

function Recurring({ of }: { of: Month }) {
  const mrr = useQuery(mrrQuery(of));
  const churn = useQuery(churnQuery(of));
  return (
    <Card title={`Recurring revenue, ${month(of)}`} note={<Link to="/revenue">Movements by month</Link>}>
      <Stats>
        <Async answer={mrr} height={150}>
          {({ data }) => (
            <Stat
              name="MRR"
              value={money(data.closing.amount)}
              note={`${money(data.opening.amount)} at the start of the month`}
              formula={data.formula}
            />
          )}
        </Async>
        <Async answer={churn} height={150}>
          {({ data }) => (
            <Stat
              name="Customer churn"
              value={share(data.logoChurn)}
              note={`${count(data.churn.customers)} of ${count(data.opening.customers)} customers`}
              formula={data.formulas.logoChurn}
            />
          )}
        </Async>
        <Async answer={churn} height={150}>
          {({ data }) => (
            <Stat
              name="Net revenue retention"
              value={share(data.netRevenueRetention)}
              note={`${share(data.grossRevenueRetention)} without expansion`}
              formula={data.formulas.netRevenueRetention}
            />
          )}
        </Async>
      </Stats>
    </Card>
  );
}

function LatestOrders() {
  const answer = useQuery(latestOrdersQuery);
  return (
    <Card title="Latest orders" note={<LivePill updatedAt={answer.dataUpdatedAt} />}>
      <Async answer={answer} height={380}>
        {({ data: { orders } }) =>
          orders.length === 0 ? (
            <Empty title="No orders yet">
              <p>Orders appear here seconds after they are placed.</p>
            </Empty>
          ) : (
            <DataTable
              caption="Latest orders"
              columns={LATEST}
              rows={orders}
              keyOf={(order) => order.orderId}
              fileName="latest-orders.csv"
            />
          )
        }
      </Async>
    </Card>
  );
}

function Regions() {
  const days = daysOf({}, new Date());
  const answer = useQuery(regionsQuery(days));
  return (
    <Card title="Regions, last 30 days" note={<Link to="/pipeline">By product, any range</Link>}>
      <Async answer={answer} height={380}>
        {({ data: { regions }, meta }) =>
          regions.length === 0 ? (
            <Empty title="No sales in these days">
              <p>Regions appear with the first order that names one.</p>
            </Empty>
          ) : (
            <>
              <DataTable
                caption="Sales by region, last 30 days"
                columns={[
                  { title: "Region", cell: (row) => row.region ?? "Not named" },
                  ...salesColumns<Schemas["RegionSales"]>(currenciesOf(regions)),
                ]}
                rows={regions}
                keyOf={(row) => row.region ?? ""}
                fileName="regions.csv"
                csvFrom={csvAddress("/api/pipeline/by-region", range(days))}
              />
              <AsOf meta={meta} />
            </>
          )
        }
      </Async>
    </Card>
  );
}
