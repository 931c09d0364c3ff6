import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { commandOrder, type OrderCommand, type Schemas } from "../../api/queries";
import { mayWrite, meQuery } from "../../api/session";
import { money } from "../../lib/format";
import { FormDialog } from "../../ui/FormDialog";

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
      `${money(order.amount)} goes back to the customer: all of it, as every refund is. This cannot be undone.`,
  },
} as const;

const MAX_REASON = 256;

/** What can be asked for in a status; the pipeline has the last word. */
function commandOf(status: Order["status"]): OrderCommand | undefined {
  if (status === "RECEIVED" || status === "PLACED" || status === "RESERVED") return "cancel";
  return status === "CONFIRMED" ? "refund" : undefined;
}

export function OrderCommands({ order }: { order: Order }) {
  const { data: me } = useQuery(meQuery);
  const [asking, setAsking] = useState<OrderCommand>();
  const [requested, setRequested] = useState<OrderCommand>();
  const command = commandOf(order.status);
  if (!command || !mayWrite(me)) return null;
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
  const [reason, setReason] = useState("");
  const [restock, setRestock] = useState(false);
  const { action, keep, consequence } = TEXTS[command];
  const request = useMutation({
    mutationFn: () => commandOrder(order.orderId, { command, reason: reason.trim() || null, restock }),
    onSuccess: async () => {
      done();
      close();
      await queries.invalidateQueries({ queryKey: ["order", order.orderId] });
    },
  });
  return (
    <FormDialog
      title={`${action} ${order.orderId}?`}
      action={action}
      keep={keep}
      isDangerous
      request={request}
      close={close}
    >
      <p>{consequence(order)}</p>
      <label className="field">
        Reason (optional)
        <input value={reason} maxLength={MAX_REASON} onChange={(event) => setReason(event.target.value)} />
      </label>
      {command === "refund" && (
        <label className="check">
          <input type="checkbox" checked={restock} onChange={(event) => setRestock(event.target.checked)} />
          <span>
            The goods are back
            <span className="help">Adds its units to the stock again.</span>
          </span>
        </label>
      )}
    </FormDialog>
  );
}
