import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { csvAddress } from "../../api/csv";
import { inventoryQuery, type StockedProduct } from "../../api/inventory";
import { mayWrite, meQuery } from "../../api/session";
import { parseInventory } from "../../lib/filters";
import { Card, Filters, Page } from "../../ui/Page";
import { SearchField } from "../../ui/SearchField";
import { LivePill } from "../../ui/stat/Freshness";
import { Async, Empty } from "../../ui/states/states";
import { DataTable } from "../../ui/table/DataTable";
import { AdjustDialog } from "./AdjustDialog";
import { inventoryColumns } from "./inventoryColumns";

export function InventoryPage() {
  const filter = useSearch({ from: "/console/inventory" });
  const navigate = useNavigate();
  const answer = useInfiniteQuery(inventoryQuery(filter));
  const { data: me } = useQuery(meQuery);
  const [adjusting, setAdjusting] = useState<StockedProduct>();
  const formula = answer.data?.pages[0]?.data.formula;
  const columns = [
    ...inventoryColumns,
    ...(mayWrite(me)
      ? [
          {
            title: "Actions",
            isNumber: true,
            cell: (product: StockedProduct) => (
              <button
                type="button"
                className="button quiet"
                aria-label={`Adjust the stock of ${product.name ?? product.sku}`}
                onClick={() => setAdjusting(product)}
              >
                Adjust…
              </button>
            ),
          },
        ]
      : []),
  ];
  return (
    <Page
      title="Inventory"
      lead="What is on the shelf now, what orders hold of it, and for how many days the rest lasts. What sells most comes first."
    >
      <Filters label="Filters">
        <SearchField
          label="Product"
          placeholder="Name or SKU"
          value={filter.search ?? ""}
          change={(search) => void navigate({ to: "/inventory", search: parseInventory({ search }) })}
        />
        <Link to="/inventory" className="button" disabled={!filter.search}>
          All products
        </Link>
      </Filters>
      <Card title="Stock" note={<LivePill updatedAt={answer.dataUpdatedAt} />}>
        <Async answer={answer} height={480}>
          {({ pages }) => {
            const products = pages.flatMap((page) => page.data.products);
            if (products.length === 0) return <NoProducts isFiltered={filter.search !== undefined} />;
            return (
              <DataTable
                caption="Stock by product, most units sold first"
                columns={columns}
                rows={products}
                keyOf={(product) => product.sku}
                fileName="inventory.csv"
                csvFrom={csvAddress("/api/inventory", { ...filter })}
                more={
                  answer.hasNextPage
                    ? { load: () => void answer.fetchNextPage(), isLoading: answer.isFetchingNextPage }
                    : undefined
                }
              />
            );
          }}
        </Async>
        {formula && <p className="muted">Days of cover = {formula}; the period is the last 30 days (UTC).</p>}
      </Card>
      {adjusting && <AdjustDialog product={adjusting} close={() => setAdjusting(undefined)} />}
    </Page>
  );
}

function NoProducts({ isFiltered }: { isFiltered: boolean }) {
  return isFiltered ? (
    <Empty title="No product has this in its name or SKU">
      <p>
        Search for another part of it, or show <Link to="/inventory">all products</Link>.
      </p>
    </Empty>
  ) : (
    <Empty title="No products yet">
      <p>
        Products appear with their first stock. Add some with <code>pulsequeue inventory seed</code>.
      </p>
    </Empty>
  );
}
