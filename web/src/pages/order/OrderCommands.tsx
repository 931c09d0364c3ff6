import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { commandOrder, type OrderCommand, type Schemas } from "../../api/queries";
import { mayChangeOrders, meQuery } from "../../api/session";
import { money } from "../../lib/format";
import { Dialog } from "../../ui/Dialog";
import styles from "../../ui/shell/shell.module.css";

type Order = Schemas["Order"];

const TEXTS = {
  cancel: {
    action: "Cancel order",
    keep: "Keep order",
    consequence: () => "Its stock is released, and nothing is charged. This cannot be undone.",
  },
  refund: {
    action: "Refund order",
    keep: "Do not refund",
    consequence: (order: Order) =>
      `${money(order.amount)} goes back to the customer. Stock stays as it is until the goods are back. This cannot be undone.`,
  },
} as const;

/** What can be asked for in a status; the pipeline has the last word. */
function commandOf(status: Order["status"]): OrderCommand | undefined {
  if (status === "PLACED" || status === "RESERVED") return "cancel";
  return status === "CONFIRMED" ? "refund" : undefined;
}

export function OrderCommands({ order }: { order: Order }) {
  const { data: me } = useQuery(meQuery);
  const [asking, setAsking] = useState<OrderCommand>();
  const [requested, setRequested] = useState<OrderCommand>();
  const command = commandOf(order.status);
  if (!command || !mayChangeOrders(me)) return null;
  if (requested === command) return <p role="status">Requested. The order changes within seconds.</p>;
  return (
    <>
      <button type="button" className="button danger" onClick={() => setAsking(command)}>
        {TEXTS[command].action}…
      </button>
      {asking && (
        <Confirmation
          order={order}
          command={asking}
          close={() => setAsking(undefined)}
          done={() => setRequested(asking)}
        />
      )}
    </>
  );
}

interface ConfirmationProps {
  order: Order;
  command: OrderCommand;
  close: () => void;
  done: () => void;
}

function Confirmation({ order, command, close, done }: ConfirmationProps) {
  const queries = useQueryClient();
  const { action, keep, consequence } = TEXTS[command];
  const request = useMutation({
    mutationFn: () => commandOrder(order.orderId, command),
    onSuccess: async () => {
      done();
      close();
      await queries.invalidateQueries({ queryKey: ["order", order.orderId] });
    },
  });
  return (
    <Dialog label={action} close={close}>
      <div className={styles.dialog}>
        <h2>
          {action} {order.orderId}?
        </h2>
        <p>{consequence(order)}</p>
        {request.error && (
          <p role="alert">
            <strong>Not done.</strong> {request.error.message}
          </p>
        )}
        <div className={styles.dialogActions}>
          <button type="button" className="button" onClick={close}>
            {keep}
          </button>
          <button
            type="button"
            className="button danger"
            disabled={request.isPending}
            onClick={() => request.mutate()}
          >
            {request.isPending ? "Sending…" : action}
          </button>
        </div>
      </div>
    </Dialog>
  );
}
