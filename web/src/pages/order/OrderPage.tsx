import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { orderQuery, type Schemas } from "../../api/queries";
import { count, MISSING, moment, money, words, wordsOfEvent } from "../../lib/format";
import { major } from "../../lib/money";
import { FULFILLMENT_WORDS, ORDER_WORDS, PAYMENT_WORDS, reasonOf } from "../../lib/words";
import { Card, Columns, Facts, Page } from "../../ui/Page";
import { LivePill } from "../../ui/stat/Freshness";
import { StatusPill } from "../../ui/stat/StatusPill";
import { Async } from "../../ui/states/states";
import { DataTable } from "../../ui/table/DataTable";
import { OrderCommands } from "./OrderCommands";
import styles from "./order.module.css";

type Order = Schemas["Order"];

export function OrderPage() {
  const { orderId } = useParams({ from: "/console/orders/$orderId" });
  const answer = useQuery(orderQuery(orderId));
  return (
    <Page
      title={`Order ${orderId}`}
      lead={<Link to="/orders">All orders</Link>}
      actions={answer.data && <OrderCommands order={answer.data.data} />}
    >
      <Async answer={answer} height={560}>
        {({ data: order }) => (
          <>
            <Columns>
              <Card title="Order" note={<LivePill updatedAt={answer.dataUpdatedAt} />}>
                <OrderFacts order={order} />
              </Card>
              <Card title="Payment">
                <PaymentFacts order={order} />
              </Card>
            </Columns>
            <Card title="Items">
              <Items items={order.items} />
            </Card>
            <Columns>
              <Card title="Timeline (UTC)">
                <Timeline entries={order.timeline} />
              </Card>
              <Card title="Stock and fulfilment">
                <StockFacts order={order} />
              </Card>
            </Columns>
          </>
        )}
      </Async>
    </Page>
  );
}

function OrderFacts({ order }: { order: Order }) {
  return (
    <Facts
      of={[
        ["Status", <StatusPill key="status" status={order.status} of={ORDER_WORDS} />],
        ["What it means", ORDER_WORDS[order.status].meaning],
        ...(order.reason ? ([["Reason", reasonOf(order.reason)]] as const) : []),
        ["Amount", money(order.amount)],
        [
          "Customer",
          order.customerId ? (
            <Link key="customer" to="/orders" search={{ customer: order.customerId }}>
              {order.customerId}
            </Link>
          ) : (
            MISSING
          ),
        ],
        ["Region", order.region ?? MISSING],
        ["Channel", words(order.channel)],
        ["Placed", moment(order.placedAt)],
      ]}
    />
  );
}

function PaymentFacts({ order: { payment, paymentMethod } }: { order: Order }) {
  if (!payment) return <p className="muted">No payment was requested.</p>;
  return (
    <Facts
      of={[
        ["Status", <StatusPill key="status" status={payment.status} of={PAYMENT_WORDS} />],
        ["Amount", money(payment.amount)],
        ["Refunded", money(payment.refunded)],
        ["Method", words(paymentMethod)],
        ["Charge", payment.chargeId ? <code key="charge">{payment.chargeId}</code> : MISSING],
        ["Reason", reasonOf(payment.reason)],
        ["Answered", moment(payment.answeredAt)],
      ]}
    />
  );
}

function StockFacts({ order }: { order: Order }) {
  const { fulfillment } = order;
  return (
    <Facts
      of={[
        ["Units", count(order.units)],
        ["Reserved", moment(order.reservedAt)],
        ["Confirmed", moment(order.confirmedAt)],
        ["Ended", moment(order.endedAt)],
        [
          "Fulfilment",
          fulfillment ? (
            <StatusPill key="status" status={fulfillment.status} of={FULFILLMENT_WORDS} />
          ) : (
            MISSING
          ),
        ],
        ["Due", moment(fulfillment?.dueAt)],
      ]}
    />
  );
}

function Items({ items }: { items: Order["items"] }) {
  return (
    <DataTable
      caption="Items of the order"
      rows={items}
      keyOf={(item) => item.sku}
      fileName="order-items.csv"
      columns={[
        { title: "SKU", cell: (item) => item.sku, csv: (item) => item.sku },
        {
          title: "Quantity",
          isNumber: true,
          cell: (item) => count(item.quantity),
          csv: (item) => item.quantity,
        },
        {
          title: "Unit price",
          isNumber: true,
          cell: (item) => money(item.unitPrice),
          csv: ({ unitPrice }) => (unitPrice ? `${major(unitPrice)} ${unitPrice.currency}` : null),
        },
        {
          title: "Total",
          isNumber: true,
          cell: (item) => money(item.total),
          csv: ({ total }) => (total ? `${major(total)} ${total.currency}` : null),
        },
      ]}
    />
  );
}

function Timeline({ entries }: { entries: Order["timeline"] }) {
  return (
    <ol className={styles.timeline}>
      {entries.map((entry) => (
        <li key={entry.eventId}>
          {wordsOfEvent(entry.event)}
          <time dateTime={entry.occurredAt}>{moment(entry.occurredAt)}</time>
        </li>
      ))}
    </ol>
  );
}
