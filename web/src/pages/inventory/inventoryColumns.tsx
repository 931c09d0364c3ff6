import type { StockedProduct } from "../../api/inventory";
import { count, MISSING, moment } from "../../lib/format";
import pills from "../../ui/stat/stat.module.css";
import type { Column } from "../../ui/table/DataTable";

/** Below this, a delivery that is ordered today may come too late. */
export const FEW_DAYS = 7;

export function runsOut({ daysOfCover }: StockedProduct): boolean {
  return daysOfCover !== null && daysOfCover < FEW_DAYS;
}

function Cover({ of: product }: { of: StockedProduct }) {
  const { available, daysOfCover } = product;
  if (available === 0) return <Pill kind="bad" text="none left" />;
  if (daysOfCover === null) return MISSING;
  const text = `${daysOfCover} d`;
  return runsOut(product) ? <Pill kind="warn" text={`${text}, runs out`} /> : text;
}

function Pill({ kind, text }: { kind: string; text: string }) {
  return (
    <span className={pills.pill} data-kind={kind}>
      {text}
    </span>
  );
}

export const inventoryColumns: readonly Column<StockedProduct>[] = [
  {
    title: "Product",
    cell: ({ name, sku, toldAt }) => (
      <>
        {name ?? sku}
        <br />
        <small className="muted">
          {name ? sku : ""}
          {toldAt && ` as of ${moment(toldAt)}, not in the inventory`}
        </small>
      </>
    ),
  },
  {
    title: "On the shelf",
    isNumber: true,
    isWide: true,
    cell: (product) => count(product.stock),
  },
  {
    title: "Reserved",
    isNumber: true,
    isWide: true,
    cell: (product) => count(product.reserved),
  },
  {
    title: "Available",
    isNumber: true,
    cell: (product) => count(product.available),
  },
  {
    title: "Sold, 30 days",
    isNumber: true,
    isWide: true,
    cell: (product) => count(product.unitsSold),
  },
  {
    title: "Lasts",
    isNumber: true,
    cell: (product) => <Cover of={product} />,
  },
];
