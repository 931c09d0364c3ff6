/** What states and reasons mean, for people who have never read the code. A new state does not compile without. */

import type { Schemas } from "../api/queries";
import { words } from "./format";

type OrderStatus = Schemas["Order"]["status"];
type PaymentStatus = Schemas["Payment"]["status"];
type FulfillmentStatus = Schemas["Fulfillment"]["status"];

export interface StateWords {
  readonly name: string;
  /** One sentence: what has happened, and what comes next. */
  readonly meaning: string;
}

export const ORDER_WORDS: Record<OrderStatus, StateWords> = {
  RECEIVED: { name: "Received", meaning: "The order has arrived. Its stock is checked next." },
  PLACED: { name: "Placed", meaning: "The order is known. Its stock is checked next." },
  RESERVED: { name: "Awaiting payment", meaning: "Stock is set aside, and the payment has been asked for." },
  CONFIRMED: { name: "Confirmed", meaning: "Paid. The goods can be sent." },
  REJECTED: { name: "Not accepted", meaning: "The order could not be filled. Nothing was charged." },
  CANCELLED: { name: "Cancelled", meaning: "The order has ended, and its stock is free again." },
  REFUNDED: { name: "Refunded", meaning: "The payment has gone back to the customer." },
};

export const PAYMENT_WORDS: Record<PaymentStatus, StateWords> = {
  REQUESTED: { name: "Asked for", meaning: "The payment provider has not answered yet." },
  SUCCEEDED: { name: "Paid", meaning: "The provider has charged the customer." },
  FAILED: { name: "Declined", meaning: "The provider refused. Nothing was charged." },
  REFUNDED: { name: "Paid back", meaning: "The provider has returned the money." },
};

export const FULFILLMENT_WORDS: Record<FulfillmentStatus, StateWords> = {
  DUE: { name: "To be sent", meaning: "The goods are due to leave." },
  CALLED_OFF: { name: "Called off", meaning: "The goods are not to be sent." },
  RETURNED: { name: "Returned", meaning: "The goods are back." },
};

const REASONS: Readonly<Record<string, string>> = {
  out_of_stock: "Not enough stock",
  unknown_sku: "A product is not in the catalogue",
  currency_mismatch: "Products in different currencies",
  price_changed: "A price has changed",
  customer_request: "Asked for by the customer",
  requested: "Asked for by the customer",
  reservation_expired: "Not paid in time",
  payment_failed: "Payment declined",
  card_declined: "The card was declined",
  insufficient_funds: "Not enough money on the card",
  order_no_longer_reserved: "Paid too late; the money went back",
};

/** Reasons are open: what is not listed reads as the code writes it, with spaces. */
export function reasonOf(reason: string | null | undefined): string {
  return (reason && REASONS[reason]) || words(reason);
}
