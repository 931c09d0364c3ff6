import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { csvAddress } from "../../api/csv";
import { type Days, productsQuery, range, regionsQuery, type Schemas } from "../../api/queries";
import { daysOf, parseDays } from "../../lib/filters";
import { day } from "../../lib/format";
import { currenciesOf } from "../../lib/takings";
import { DaysFields } from "../../ui/DaysFields";
import { Card, Filters, Page } from "../../ui/Page";
import { SavedViews } from "../../ui/SavedViews";
import { AsOf } from "../../ui/stat/Freshness";
import { Async, Empty } from "../../ui/states/states";
import { DataTable } from "../../ui/table/DataTable";
import { salesColumns } from "../../ui/table/salesColumns";
import { RegionBars } from "./RegionBars";

export function PipelinePage() {
  const filter = useSearch({ from: "/console/pipeline" });
  const navigate = useNavigate();
  const days = daysOf(filter, new Date());
  const change = (edited: Record<string, unknown>) =>
    void navigate({ to: "/pipeline", search: parseDays({ ...filter, ...edited }) });
  return (
    <Page
      title="Pipeline"
      lead={`By region and by product, ${day(days.from)} to ${day(days.to)}, both included. Days are UTC.`}
    >
      <Filters label="Days">
        <DaysFields value={days} change={change} />
        <Link to="/pipeline" className="button" disabled={Object.keys(filter).length === 0}>
          Last 30 days
        </Link>
        <SavedViews
          page="pipeline"
          query={filter}
          open={(query) => void navigate({ to: "/pipeline", search: parseDays(query) })}
        />
      </Filters>
      <Regions days={days} />
      <Products days={days} />
    </Page>
  );
}

function NoSales() {
  return (
    <Empty title="No sales in these days">
      <p>
        Choose other days, or show the <Link to="/pipeline">last 30 days</Link>.
      </p>
    </Empty>
  );
}

function Regions({ days }: { days: Days }) {
  const answer = useQuery(regionsQuery(days));
  return (
    <Card title="By region" note={<AsOf meta={answer.data?.meta} />}>
      <Async answer={answer} height={480}>
        {({ data: { regions } }) => {
          if (regions.length === 0) return <NoSales />;
          const currencies = currenciesOf(regions);
          return (
            <>
              <RegionBars regions={regions} currencies={currencies} />
              <DataTable
                caption="Sales by region"
                columns={[
                  { title: "Region", cell: (row) => row.region ?? "Not named" },
                  ...salesColumns<Schemas["RegionSales"]>(currencies),
                ]}
                rows={regions}
                keyOf={(row) => row.region ?? ""}
                fileName="regions.csv"
                csvFrom={csvAddress("/api/pipeline/by-region", range(days))}
              />
            </>
          );
        }}
      </Async>
    </Card>
  );
}

function Products({ days }: { days: Days }) {
  const answer = useQuery(productsQuery(days));
  return (
    <Card title="By product, most units first" note={<AsOf meta={answer.data?.meta} />}>
      <Async answer={answer} height={480}>
        {({ data: { products } }) =>
          products.length === 0 ? (
            <NoSales />
          ) : (
            <DataTable
              caption="Sales by product, most units first"
              columns={[
                { title: "Product", cell: (row) => row.name ?? row.sku },
                { title: "SKU", isWide: true, cell: (row) => row.sku },
                ...salesColumns<Schemas["ProductSales"]>(currenciesOf(products)),
              ]}
              rows={products}
              keyOf={(row) => row.sku}
              fileName="products.csv"
              csvFrom={csvAddress("/api/pipeline/by-product", range(days))}
            />
          )
        }
      </Async>
    </Card>
  );
}
