import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { csvAddress } from "../../api/csv";
import { ordersParams, ordersQuery } from "../../api/queries";
import { ORDER_STATUSES, type OrdersFilter, parseOrders } from "../../lib/filters";
import { ORDER_WORDS } from "../../lib/words";
import { DaysFields } from "../../ui/DaysFields";
import { Card, Filters, Page } from "../../ui/Page";
import { SavedViews } from "../../ui/SavedViews";
import { SearchField } from "../../ui/SearchField";
import { AsOf } from "../../ui/stat/Freshness";
import { Async, Empty } from "../../ui/states/states";
import { DataTable } from "../../ui/table/DataTable";
import { orderColumns } from "./orderColumns";

export function OrdersPage() {
  const filter = useSearch({ from: "/console/orders" });
  const answer = useInfiniteQuery(ordersQuery(filter));
  const navigate = useNavigate();
  const isFiltered = Object.keys(filter).some((name) => name !== "without");
  const meta = answer.data?.pages[0]?.meta;
  return (
    <Page
      title="Orders"
      lead="Newest first. The address of this page holds the filters: share it, or go back to it."
    >
      <OrdersFilters filter={filter} />
      <Card title={isFiltered ? "Orders as filtered" : "All orders"} note={<AsOf meta={meta} />}>
        <Async answer={answer} height={480}>
          {({ pages }) => {
            const orders = pages.flatMap((page) => page.data.orders);
            if (orders.length === 0) return <NoOrders isFiltered={isFiltered} />;
            return (
              <DataTable
                caption="Orders, newest first"
                columns={orderColumns}
                rows={orders}
                keyOf={(order) => order.orderId}
                fileName="orders.csv"
                csvFrom={csvAddress("/api/orders", ordersParams(filter))}
                choice={{
                  without: filter.without,
                  change: (without) =>
                    void navigate({
                      to: "/orders",
                      search: parseOrders({ ...filter, without }),
                      replace: true,
                    }),
                }}
                more={
                  answer.hasNextPage
                    ? { load: () => void answer.fetchNextPage(), isLoading: answer.isFetchingNextPage }
                    : undefined
                }
              />
            );
          }}
        </Async>
      </Card>
    </Page>
  );
}

function NoOrders({ isFiltered }: { isFiltered: boolean }) {
  return isFiltered ? (
    <Empty title="No order matches these filters">
      <p>
        Change them, or <Link to="/orders">show all orders</Link>.
      </p>
    </Empty>
  ) : (
    <Empty title="No orders yet">
      <p>
        Orders appear here seconds after they are placed. Place one with <code>pulsequeue publish</code>.
      </p>
    </Empty>
  );
}

function OrdersFilters({ filter }: { filter: OrdersFilter }) {
  const navigate = useNavigate();
  const change = (edited: Record<string, unknown>) =>
    void navigate({ to: "/orders", search: parseOrders({ ...filter, ...edited }) });
  return (
    <Filters label="Filters">
      <label className="field">
        Status
        <select value={filter.status ?? ""} onChange={(event) => change({ status: event.target.value })}>
          <option value="">Any</option>
          {ORDER_STATUSES.map((status) => (
            <option key={status} value={status}>
              {ORDER_WORDS[status].name}
            </option>
          ))}
        </select>
      </label>
      <SearchField
        label="Customer"
        placeholder="Customer id"
        value={filter.customer ?? ""}
        change={(customer) => change({ customer })}
      />
      <DaysFields value={filter} change={change} />
      <Link to="/orders" className="button" disabled={Object.keys(filter).length === 0}>
        Clear filters
      </Link>
      <SavedViews
        page="orders"
        query={filter}
        open={(query) => void navigate({ to: "/orders", search: parseOrders(query) })}
      />
    </Filters>
  );
}
