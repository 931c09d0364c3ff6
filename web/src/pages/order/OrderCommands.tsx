import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { commandOrder, type OrderCommand, type Schemas } from "../../api/queries";
import { mayWrite, meQuery } from "../../api/session";
import { money } from "../../lib/format";
import { type Amount, amount, major, minor } from "../../lib/money";
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
      `Up to ${money(leftOf(order))} can go back to the customer. This cannot be undone.`,
  },
} as const;

const MAX_REASON = 256;

/** What is left of the payment, as far as this page knows; the pipeline never gives back more. */
function leftOf({ amount: whole, payment }: Order): Amount | null {
  if (!whole) return null;
  return amount(whole.amountMinor - (payment?.refunded.amountMinor ?? 0), whole.currency);
}

/** What can be asked for in a status; the pipeline has the last word. */
function commandOf(status: Order["status"]): OrderCommand | undefined {
  if (status === "RECEIVED" || status === "PLACED" || status === "RESERVED") return "cancel";
  return status === "CONFIRMED" ? "refund" : undefined;
}

export function OrderCommands({ order }: { order: Order }) {
  const { data: me } = useQuery(meQuery);
  const [asking, setAsking] = useState<OrderCommand>();
  const [requested, setRequested] = useState<string>();
  const command = commandOf(order.status);
  const state = `${command} ${order.payment?.refunded.amountMinor}`;
  if (!command || !mayWrite(me)) return null;
  if (requested === state) return <p role="status">Requested. The order changes within seconds.</p>;
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
          done={() => setRequested(state)}
        />
      )}
    </>
  );
}

/** What of the payment to give back; null: all that is left, which needs no amount. */
function partOf(text: string, left: Amount | null): number | null {
  if (!left) return null;
  const asked = minor(text, left.currency);
  if (asked === undefined || asked < 1 || asked > left.amountMinor) {
    throw new Error(`Give an amount of at most ${money(left)}.`);
  }
  return asked === left.amountMinor ? null : asked;
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
  const left = leftOf(order);
  const [part, setPart] = useState(left ? String(major(left)) : "");
  const [key] = useState(() => crypto.randomUUID());
  const { action, keep, consequence } = TEXTS[command];
  const request = useMutation({
    mutationFn: () => {
      const asked = { command, reason: reason.trim() || null, restock, key };
      return commandOrder(order.orderId, {
        ...asked,
        amountMinor: command === "refund" ? partOf(part, left) : null,
      });
    },
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
      {command === "refund" && left && (
        <label className="field">
          Amount ({left.currency})
          <input
            value={part}
            inputMode="decimal"
            required
            onChange={(event) => setPart(event.target.value)}
          />
        </label>
      )}
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
