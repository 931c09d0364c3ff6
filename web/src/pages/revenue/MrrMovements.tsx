import type { Schemas } from "../../api/queries";
import type { Month } from "../../lib/days";
import { count, money, moneyShort, month } from "../../lib/format";
import { amount, byCurrency, decimals, major } from "../../lib/money";
import { ChartFigure } from "../../ui/charts/ChartFigure";
import { DataTable } from "../../ui/table/DataTable";

type Mrr = Schemas["Mrr"];

/** What changed MRR, from the line outwards; lightness tells them apart where colours do not. */
const MOVEMENTS = [
  { key: "new", name: "New", sign: 1, color: "var(--chart-1)" },
  { key: "expansion", name: "Expansion", sign: 1, color: "var(--chart-2)" },
  { key: "reactivation", name: "Reactivation", sign: 1, color: "var(--chart-3)" },
  { key: "exchange", name: "Exchange rates", sign: 1, color: "var(--line-strong)" },
  { key: "contraction", name: "Contraction", sign: -1, color: "var(--chart-4)" },
  { key: "churn", name: "Churn", sign: -1, color: "var(--chart-5)" },
] as const;

/** One chart per currency: a tenant that changed its own has two. */
export function MrrMovements({ rows }: { rows: readonly Mrr[] }) {
  return [...byCurrency(rows, (row) => row.closing.amount.currency)].map(([currency, ofCurrency]) => (
    <MrrChart key={currency} currency={currency} rows={ofCurrency} />
  ));
}

function MrrChart({ currency, rows }: { currency: string; rows: readonly Mrr[] }) {
  const scale = 10 ** decimals(currency);
  const inCurrency = (value: number) => amount(Math.round(value * scale), currency);
  return (
    <ChartFigure
      chart={{
        title: `MRR movements in ${currency} by month`,
        points: rows.map((row) => ({
          label: month(row.month as Month),
          title: `${month(row.month as Month)}: ${money(row.closing.amount)} at the end`,
          values: Object.fromEntries(
            MOVEMENTS.map(({ key, name, sign }) => [name, sign * major(row[key].amount)]),
          ),
        })),
        series: MOVEMENTS,
        short: (value) => moneyShort(inCurrency(value)),
        full: (value) => money(inCurrency(value)),
        height: 320,
      }}
      table={
        <DataTable
          caption={`MRR movements in ${currency} by month`}
          fileName={`mrr-${currency}.csv`}
          rows={rows}
          keyOf={(row) => row.month}
          columns={[
            { title: "Month", cell: (row) => month(row.month as Month), csv: (row) => row.month },
            ...(["opening", ...MOVEMENTS.map(({ key }) => key), "closing"] as const).map((key) => ({
              title: key.charAt(0).toUpperCase() + key.slice(1),
              isNumber: true,
              isWide: key !== "closing" && key !== "opening",
              cell: (row: Mrr) => money(row[key].amount),
              csv: (row: Mrr) => major(row[key].amount),
            })),
            {
              title: "Customers",
              isNumber: true,
              cell: (row) => count(row.closing.customers),
              csv: (row) => row.closing.customers,
            },
          ]}
        />
      }
    />
  );
}
