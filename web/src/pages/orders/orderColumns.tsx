import { Link } from "@tanstack/react-router";
import type { Schemas } from "../../api/queries";
import { count, MISSING, moment, money } from "../../lib/format";
import { major } from "../../lib/money";
import { ORDER_WORDS, reasonOf } from "../../lib/words";
import { StatusPill } from "../../ui/stat/StatusPill";
import type { Column } from "../../ui/table/DataTable";

export const orderColumns: readonly Column<Schemas["OrderSummary"]>[] = [
  {
    title: "Order",
    cell: ({ orderId }) => (
      <Link to="/orders/$orderId" params={{ orderId }}>
        {orderId}
      </Link>
    ),
    csv: (order) => order.orderId,
  },
  {
    title: "Status",
    cell: (order) => <StatusPill status={order.status} of={ORDER_WORDS} />,
    csv: (order) => order.status,
  },
  {
    title: "Reason",
    isWide: true,
    cell: (order) => reasonOf(order.reason),
    csv: (order) => order.reason,
  },
  {
    title: "Customer",
    isWide: true,
    cell: ({ customerId }) =>
      customerId ? (
        <Link to="/orders" search={{ customer: customerId }}>
          {customerId}
        </Link>
      ) : (
        MISSING
      ),
    csv: (order) => order.customerId,
  },
  {
    title: "Region",
    isWide: true,
    cell: (order) => order.region ?? MISSING,
    csv: (order) => order.region,
  },
  {
    title: "Units",
    isNumber: true,
    isWide: true,
    cell: (order) => count(order.units),
    csv: (order) => order.units,
  },
  {
    title: "Amount",
    isNumber: true,
    cell: (order) => money(order.amount),
    csv: ({ amount }) => (amount ? `${major(amount)} ${amount.currency}` : null),
  },
  {
    title: "Placed (UTC)",
    isNumber: true,
    isWide: true,
    cell: (order) => moment(order.placedAt),
    csv: (order) => order.placedAt,
  },
];
