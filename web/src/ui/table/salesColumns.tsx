import type { Schemas } from "../../api/queries";
import { count, money, share } from "../../lib/format";
import { takingsIn } from "../../lib/takings";
import type { Column } from "./DataTable";

/** The columns that sales by anything share; revenue has one column per currency. */
export function salesColumns<Row extends Schemas["Sales"]>(currencies: readonly string[]): Column<Row>[] {
  return [
    { title: "Orders", isNumber: true, cell: (row) => count(row.orders) },
    {
      title: "Units",
      isNumber: true,
      isWide: true,
      cell: (row) => count(row.units),
    },
    {
      title: "Success rate",
      isNumber: true,
      isWide: true,
      cell: (row) => share(row.successRate),
    },
    ...currencies.map(
      (currency): Column<Row> => ({
        title: `Net, ${currency}`,
        isNumber: true,
        cell: (row) => money(takingsIn(row, currency)?.net),
      }),
    ),
  ];
}
