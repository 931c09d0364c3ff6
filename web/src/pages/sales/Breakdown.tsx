import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { csvAddress } from "../../api/csv";
import { type Days, range, type Schemas } from "../../api/queries";
import { channelSalesQuery, productSalesQuery, regionSalesQuery } from "../../api/sales";
import {
  daysOf,
  PRODUCT_SORTS,
  type ProductSort,
  parseSales,
  SALES_GROUPS,
  type SalesFilter,
} from "../../lib/filters";
import { day, words } from "../../lib/format";
import { currenciesOf } from "../../lib/takings";
import { DaysFields } from "../../ui/DaysFields";
import { Card, Filters } from "../../ui/Page";
import { SavedViews } from "../../ui/SavedViews";
import { AsOf } from "../../ui/stat/Freshness";
import { Async, Empty } from "../../ui/states/states";
import { DataTable } from "../../ui/table/DataTable";
import { salesColumns } from "../../ui/table/salesColumns";

/** Sales of any days by what they have in common. */
export function Breakdown({ filter }: { filter: SalesFilter }) {
  const navigate = useNavigate();
  const change = (edited: Record<string, unknown>) =>
    void navigate({ to: "/sales", search: parseSales({ ...filter, ...edited }), resetScroll: false });
  const days = daysOf(filter, new Date());
  const { by = "region", sort = "units" } = filter;
  return (
    <Card
      title={`Sales by ${by}`}
      note={<span className="muted">{`${day(days.from)} to ${day(days.to)}, both included (UTC)`}</span>}
    >
      <Filters label="Sales by">
        <label className="field">
          By
          <select value={by} onChange={(event) => change({ by: event.target.value })}>
            {SALES_GROUPS.map((value) => (
              <option key={value} value={value}>
                {words(value)}
              </option>
            ))}
          </select>
        </label>
        {by === "product" && (
          <label className="field">
            Most first
            <select value={sort} onChange={(event) => change({ sort: event.target.value })}>
              {PRODUCT_SORTS.map((value) => (
                <option key={value} value={value}>
                  {words(value)}
                </option>
              ))}
            </select>
          </label>
        )}
        <DaysFields value={days} change={change} />
        <SavedViews page="sales" query={filter} open={change} />
      </Filters>
      {by === "region" && <ByRegion days={days} />}
      {by === "channel" && <ByChannel days={days} />}
      {by === "product" && <ByProduct days={days} sort={sort} />}
    </Card>
  );
}

function NoSales() {
  return (
    <Empty title="No sales in these days">
      <p>
        Choose other days, or show the <Link to="/sales">last 30 days</Link>.
      </p>
    </Empty>
  );
}

function ByRegion({ days }: { days: Days }) {
  const answer = useQuery(regionSalesQuery(days));
  return (
    <Async answer={answer} height={320}>
      {({ data: { regions }, meta }) => {
        if (regions.length === 0) return <NoSales />;
        return (
          <>
            <DataTable
              caption="Sales by region"
              columns={[
                { title: "Region", cell: (row) => row.region ?? "Not named" },
                ...salesColumns<Schemas["RegionSales"]>(currenciesOf(regions)),
              ]}
              rows={regions}
              keyOf={(row) => row.region ?? ""}
              fileName="sales-by-region.csv"
              csvFrom={csvAddress("/api/sales/by-region", range(days))}
            />
            <AsOf meta={meta} />
          </>
        );
      }}
    </Async>
  );
}

function ByChannel({ days }: { days: Days }) {
  const answer = useQuery(channelSalesQuery(days));
  return (
    <Async answer={answer} height={320}>
      {({ data: { channels }, meta }) => {
        if (channels.length === 0) return <NoSales />;
        return (
          <>
            <DataTable
              caption="Sales by channel"
              columns={[
                { title: "Channel", cell: (row) => row.channel ?? "Not named" },
                ...salesColumns<Schemas["ChannelSales"]>(currenciesOf(channels)),
              ]}
              rows={channels}
              keyOf={(row) => row.channel ?? ""}
              fileName="sales-by-channel.csv"
              csvFrom={csvAddress("/api/sales/by-channel", range(days))}
            />
            <AsOf meta={meta} />
          </>
        );
      }}
    </Async>
  );
}

function ByProduct({ days, sort }: { days: Days; sort: ProductSort }) {
  const answer = useInfiniteQuery(productSalesQuery(days, sort));
  return (
    <Async answer={answer} height={320}>
      {({ pages }) => {
        const products = pages.flatMap((page) => page.data.products);
        if (products.length === 0) return <NoSales />;
        const currency = pages[0]?.data.currency;
        return (
          <>
            <DataTable
              caption={`Sales by product, most ${currency ? `revenue in ${currency}` : "units"} first`}
              columns={[
                { title: "Product", cell: (row) => row.name ?? row.sku },
                { title: "SKU", isWide: true, cell: (row) => row.sku },
                ...salesColumns<Schemas["ProductSales"]>(currenciesOf(products)),
              ]}
              rows={products}
              keyOf={(row) => row.sku}
              fileName="sales-by-product.csv"
              csvFrom={csvAddress("/api/sales/by-product", { ...range(days), sort })}
              more={
                answer.hasNextPage
                  ? { load: () => void answer.fetchNextPage(), isLoading: answer.isFetchingNextPage }
                  : undefined
              }
            />
            <AsOf meta={pages[0]?.meta} />
          </>
        );
      }}
    </Async>
  );
}
