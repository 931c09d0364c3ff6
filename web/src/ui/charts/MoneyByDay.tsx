import type { Schemas } from "../../api/queries";
import type { Day } from "../../lib/days";
import { count, day, money, moneyShort, share } from "../../lib/format";
import { amount, decimals, major } from "../../lib/money";
import { takingsIn } from "../../lib/takings";
import { DataTable } from "../table/DataTable";
import { ChartFigure } from "./ChartFigure";

const REVENUE = "Net revenue";

/** Net revenue of one currency, day by day. */
export function MoneyByDay({ days, currency }: { days: readonly Schemas["DaySales"][]; currency: string }) {
  const scale = 10 ** decimals(currency);
  const inCurrency = (value: number) => amount(Math.round(value * scale), currency);
  const title = `${REVENUE} in ${currency} by day`;
  return (
    <ChartFigure
      chart={{
        title,
        points: days.map((row) => {
          const net = takingsIn(row, currency)?.net;
          const [dayOfMonth = "", month = ""] = day(row.day as Day).split(" ");
          return {
            label: `${dayOfMonth} ${month}`,
            title: day(row.day as Day),
            values: { [REVENUE]: net ? major(net) : 0 },
          };
        }),
        series: [{ name: REVENUE, color: "var(--chart-1)" }],
        short: (value) => moneyShort(inCurrency(value)),
        full: (value) => money(inCurrency(value)),
        height: 280,
      }}
      table={
        <DataTable
          caption={title}
          fileName={`sales-${currency}.csv`}
          rows={days}
          keyOf={(row) => row.day}
          columns={[
            { title: "Day", cell: (row) => day(row.day as Day), csv: (row) => row.day },
            { title: "Orders", isNumber: true, cell: (row) => count(row.orders), csv: (row) => row.orders },
            {
              title: "Success rate",
              isNumber: true,
              cell: (row) => share(row.successRate),
              csv: (row) => row.successRate,
            },
            {
              title: `Net revenue, ${currency}`,
              isNumber: true,
              cell: (row) => money(takingsIn(row, currency)?.net),
              csv: (row) => {
                const net = takingsIn(row, currency)?.net;
                return net ? major(net) : 0;
              },
            },
          ]}
        />
      }
    />
  );
}
