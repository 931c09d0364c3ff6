import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { csvAddress } from "../../api/csv";
import { movementsQuery, type Schemas } from "../../api/queries";
import type { Month } from "../../lib/days";
import { MOVEMENT_KINDS, type MovementKind } from "../../lib/filters";
import { money, month, words } from "../../lib/format";
import { Card, Filters } from "../../ui/Page";
import { AsOf } from "../../ui/stat/Freshness";
import { Async, Empty } from "../../ui/states/states";
import { DataTable } from "../../ui/table/DataTable";

type Moved = Schemas["CustomerMovement"];

interface WhoMovedProps {
  of: Month;
  kind: MovementKind | undefined;
  change: (kind: string) => void;
}

/** From the sum of a month to the customers behind it. */
export function WhoMoved({ of, kind, change }: WhoMovedProps) {
  const answer = useInfiniteQuery(movementsQuery(of, kind));
  return (
    <Card title={`Who moved, ${month(of)}`} note={<AsOf meta={answer.data?.pages[0]?.meta} />}>
      <Filters label="Movements">
        <label className="field">
          Movement
          <select value={kind ?? ""} onChange={(event) => change(event.target.value)}>
            <option value="">All</option>
            {MOVEMENT_KINDS.map((value) => (
              <option key={value} value={value}>
                {words(value)}
              </option>
            ))}
          </select>
        </label>
      </Filters>
      <Async answer={answer} height={320}>
        {({ pages }) => {
          const moved = pages.flatMap((page) => page.data.movements);
          if (moved.length === 0) {
            return (
              <Empty title="Nobody moved">
                <p>Choose another month or another movement.</p>
              </Empty>
            );
          }
          return (
            <DataTable
              caption={`Customers whose recurring revenue moved in ${month(of)}`}
              columns={COLUMNS}
              rows={moved}
              keyOf={(row) => `${row.kind} ${row.customerId}`}
              fileName={`movements-${of}.csv`}
              csvFrom={csvAddress("/api/metrics/mrr/movements", { month: of, kind })}
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
  );
}

const COLUMNS = [
  {
    title: "Customer",
    cell: ({ customerId }: Moved) => (
      <Link to="/orders" search={{ customer: customerId }}>
        {customerId}
      </Link>
    ),
  },
  { title: "Movement", cell: (row: Moved) => words(row.kind) },
  {
    title: "A month",
    isNumber: true,
    cell: ({ kind, amount, exchange }: Moved) => money(kind === "exchange" ? exchange : amount),
  },
  {
    title: "Through exchange rates",
    isNumber: true,
    isWide: true,
    cell: (row: Moved) => money(row.exchange),
  },
];
