/** What the fake API answers: a shop of some size, typed by docs/openapi.json, the same on every run. */

import type { Schemas } from "../src/api/queries";
import type { Me } from "../src/api/session";
import { addDays, addMonths, type Day, type Month, monthOf, monthsBetween, today } from "../src/lib/days";
import { MOVEMENT_KINDS, ORDER_STATUSES, type OrderStatus } from "../src/lib/filters";

export const NOW = new Date();
export const TODAY = today(NOW);
export const THIS_MONTH = monthOf(TODAY);
const START = 7;

/** A small generator of numbers in [0, 1), so that no run differs from another. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

const money = (amountMinor: number, currency: string): Schemas["Money"] => ({ amountMinor, currency });

export const MEMBERSHIP = { tenantId: "northwind", organization: "Northwind Coffee", role: "editor" };
export const ME: Me = {
  userId: "user-1",
  email: "mara@northwind.example",
  current: MEMBERSHIP,
  memberships: [MEMBERSHIP, { tenantId: "southwind", organization: "Southwind Tea", role: "editor" }],
};

export const meta = (withheld: string | null = null): Schemas["Meta"] => ({
  asOf: new Date(Date.now() - 4_000).toISOString(),
  generatedAt: new Date().toISOString(),
  requestId: "request-1",
  tenant: MEMBERSHIP.tenantId,
  withheld,
});

function takings(currency: string, revenueMinor: number, orders: number): Schemas["Revenue"] {
  const refunded = Math.round(revenueMinor * 0.021);
  return {
    currency,
    revenue: money(revenueMinor, currency),
    refunded: money(refunded, currency),
    net: money(revenueMinor - refunded, currency),
    averageOrderValue: money(Math.round(revenueMinor / orders), currency),
  };
}

function sales(orders: number, currencies: Record<string, number>): Schemas["Sales"] {
  const rejected = Math.round(orders * 0.041);
  const cancelled = Math.round(orders * 0.027);
  const confirmed = orders - rejected - cancelled;
  return {
    orders,
    confirmed,
    rejected,
    cancelled,
    refunded: Math.round(orders * 0.018),
    units: Math.round(confirmed * 1.7),
    successRate: confirmed / orders,
    takings: Object.entries(currencies).map(([currency, minor]) => takings(currency, minor, confirmed)),
  };
}

export function summary(from: Day, to: Day): Schemas["Summary"] {
  const days = Math.round((Date.parse(to) - Date.parse(from)) / 86_400_000);
  const current = sales(412 * days, { EUR: 1_284_310 * days, USD: 431_905 * days });
  const previous = sales(377 * days, { EUR: 1_141_870 * days, USD: 449_120 * days });
  return {
    period: { from, to },
    previousPeriod: { from: addDays(from, -days), to: from },
    current,
    previous,
    change: {
      orders: 0.0928,
      confirmed: 0.0931,
      rejected: 0.06,
      cancelled: 0.1,
      refunded: 0,
      units: 0.0931,
      successRate: -0.0004,
      takings: [
        { currency: "EUR", revenue: 0.1247, refunded: 0.1247, net: 0.1247, averageOrderValue: 0.029 },
        { currency: "USD", revenue: -0.0383, refunded: -0.0383, net: -0.0383, averageOrderValue: -0.12 },
      ],
    },
  };
}

const REGIONS = ["Bavaria", "Île-de-France", "Lombardy", "Ontario", "Oregon", "Texas"];
const REASONS: Partial<Record<OrderStatus, string>> = {
  REJECTED: "out_of_stock",
  CANCELLED: "payment_failed",
  REFUNDED: "requested_by_customer",
};

/** 120 orders, newest first, of all statuses. */
export const ORDERS: readonly Schemas["OrderSummary"][] = Array.from({ length: 120 }, (_, index) => {
  const random = numbers(START + index);
  random();
  const status = random() < 0.7 ? "CONFIRMED" : (ORDER_STATUSES[index % ORDER_STATUSES.length] ?? "PLACED");
  const at = new Date(NOW.getTime() - 47_000 - index * 1_740_000).toISOString();
  const isSettled = status !== "PLACED" && status !== "RESERVED";
  return {
    orderId: `ord-${(0x5f3a9c1e - index * 7_919).toString(16)}`,
    status,
    reason: REASONS[status] ?? null,
    customerId: `customer-${String(Math.floor(random() * 40)).padStart(6, "0")}`,
    region: REGIONS[index % REGIONS.length] ?? null,
    channel: index % 3 ? "web" : "app",
    paymentMethod: "card",
    units: 1 + Math.floor(random() * 5),
    amount: money(900 + Math.floor(random() * 24_000), index % 4 ? "EUR" : "USD"),
    placedAt: at,
    reservedAt: status === "PLACED" || status === "REJECTED" ? null : at,
    confirmedAt: status === "CONFIRMED" || status === "REFUNDED" ? at : null,
    endedAt: isSettled && status !== "CONFIRMED" ? at : null,
  };
});

export function order(summary: Schemas["OrderSummary"]): Schemas["Order"] {
  const amount = summary.amount ?? money(0, "EUR");
  const isPaid = summary.confirmedAt !== null;
  const seconds = (count: number) => new Date(Date.parse(summary.placedAt) + count * 1_000).toISOString();
  const events = ["OrderPlaced", "OrderReserved", "PaymentRequested", "PaymentSucceeded", "OrderConfirmed"];
  return {
    ...summary,
    items: [
      {
        sku: "prod-001",
        quantity: summary.units,
        unitPrice: money(1_450, amount.currency),
        total: money(1_450 * summary.units, amount.currency),
      },
      {
        sku: "prod-004",
        quantity: 1,
        unitPrice: money(6_900, amount.currency),
        total: money(6_900, amount.currency),
      },
    ],
    payment: isPaid
      ? {
          status: summary.status === "REFUNDED" ? "REFUNDED" : "SUCCEEDED",
          amount,
          refunded: money(0, amount.currency),
          chargeId: "ch_8f1c2a90",
          refundId: null,
          reason: null,
          requestedAt: seconds(1),
          answeredAt: seconds(2),
          refundedAt: null,
        }
      : null,
    fulfillment: isPaid
      ? { status: "DUE", units: summary.units, dueAt: seconds(86_400), endedAt: null }
      : null,
    timeline: events.slice(0, isPaid ? 5 : 2).map((event, index) => ({
      event,
      eventId: `event-${index}`,
      occurredAt: seconds(index),
      detail: {},
    })),
  };
}

export function mrr(month: string): Schemas["Mrr"] {
  const age = monthsBetween(addMonths(THIS_MONTH, -36), THIS_MONTH).indexOf(month as Month);
  const random = numbers(START + age);
  random();
  const moved = (share: number, customers: number) => ({
    amount: money(Math.round(4_100_000 * share * (0.7 + random() * 0.6)), "EUR"),
    customers,
  });
  const opening = { amount: money(3_200_000 + age * 96_400, "EUR"), customers: 640 + age * 9 };
  const parts = {
    new: moved(0.041, 31),
    expansion: moved(0.022, 18),
    reactivation: moved(0.006, 4),
    contraction: moved(0.011, 11),
    churn: moved(0.024, 15),
    exchange: moved(0.0015, 0),
  };
  const net = (key: keyof typeof parts) => parts[key].amount.amountMinor;
  const closing =
    opening.amount.amountMinor + net("new") + net("expansion") + net("reactivation") + net("exchange");
  return {
    month,
    formula: "closing = opening + new + expansion + reactivation - contraction - churn + exchange",
    opening,
    ...parts,
    closing: {
      amount: money(closing - net("contraction") - net("churn"), "EUR"),
      customers: opening.customers + 20,
    },
  };
}

export function mrrHistory(from: string, to: string): Schemas["MrrHistory"] {
  const months = monthsBetween(from as Month, addMonths(to as Month, -1));
  return { from, to, months: months.map(mrr) };
}

export function churn(month: string): Schemas["Churn"] {
  const { opening, expansion, contraction, churn: lost } = mrr(month);
  return {
    month,
    opening,
    expansion,
    contraction,
    churn: lost,
    logoChurn: 0.0154,
    grossRevenueChurn: 0.0336,
    netRevenueChurn: 0.0121,
    grossRevenueRetention: 0.9664,
    netRevenueRetention: 0.9879,
    upcoming: [],
    formulas: {
      logoChurn: "customers churned / customers at opening",
      grossRevenueChurn: "(contraction + churn) / opening",
      netRevenueChurn: "1 - netRevenueRetention",
      grossRevenueRetention: "1 - grossRevenueChurn",
      netRevenueRetention: "(opening + expansion - contraction - churn) / opening",
    },
  };
}

export function cohorts(basis: Schemas["Cohorts"]["basis"]): Schemas["Cohorts"] {
  const first = addMonths(THIS_MONTH, -11);
  const floor = basis === "order" ? 0.18 : 0.71;
  return {
    basis,
    from: first,
    to: addMonths(THIS_MONTH, 1),
    cohorts: monthsBetween(first, THIS_MONTH).map((month, row) => {
      const random = numbers(START + row);
      random();
      const isSmall = row === 4;
      const customers = isSmall ? null : 180 + Math.floor(random() * 90);
      return {
        month,
        customers,
        months: monthsBetween(month, THIS_MONTH).map((inMonth, offset) => {
          const retention = offset === 0 ? 1 : floor + (1 - floor) * 0.72 ** offset * (0.55 + random() * 0.2);
          return {
            month: inMonth,
            active: customers === null ? null : Math.round(customers * retention),
            retention: customers === null ? null : retention,
          };
        }),
      };
    }),
  };
}

export const regions = (from: Day, to: Day): Schemas["Regions"] => ({
  period: { from, to },
  regions: REGIONS.map((region, index) => ({
    region,
    ...sales(
      2_900 - index * 340,
      index < 3 ? { EUR: 9_840_000 - index * 2_130_000 } : { USD: 6_310_000 - index * 900_000 },
    ),
  })),
});

const PRODUCTS = [
  "Espresso beans, 1 kg",
  "Filter papers, 100 pieces",
  "Hand grinder, steel burr",
  "Gooseneck kettle, 0.9 l",
  "Cold brew bottle, 1 l",
  "Milk jug, 350 ml",
];

export const products = (from: Day, to: Day): Schemas["Products"] => ({
  period: { from, to },
  products: PRODUCTS.map((name, index) => ({
    sku: `prod-00${index + 1}`,
    name,
    ...sales(2_410 - index * 310, { EUR: 5_930_000 - index * 770_000, USD: 1_840_000 - index * 210_000 }),
  })),
});

export const channels = (from: Day, to: Day): Schemas["Channels"] => ({
  period: { from, to },
  channels: ["web", "app", null].map((channel, index) => ({
    channel,
    ...sales(4_100 - index * 1_300, {
      EUR: 12_400_000 - index * 4_000_000,
      USD: 3_900_000 - index * 1_200_000,
    }),
  })),
});

/** 70 products, in the order that was asked for. */
export function productPage(from: Day, to: Day, sort: "units" | "revenue"): Schemas["ProductPage"] {
  const made = Array.from({ length: 70 }, (_, index) => ({
    sku: `prod-${String(index + 1).padStart(3, "0")}`,
    name: `${PRODUCTS[index % PRODUCTS.length]}, edition ${index + 1}`,
    ...sales(2_410 - index * 31, { EUR: 530_000 + index * 71_000 }),
  }));
  const isByRevenue = sort === "revenue";
  return {
    period: { from, to },
    sort,
    currency: isByRevenue ? "EUR" : null,
    products: isByRevenue ? made.reverse() : made,
  };
}

export function lastMonth(): Schemas["LastMonth"] {
  const from = addDays(TODAY, -29);
  const random = numbers(START);
  return {
    period: { from, to: addDays(TODAY, 1) },
    days: Array.from({ length: 30 }, (_, index) => {
      const weekly = 1 + 0.22 * Math.sin((index / 7) * 2 * Math.PI);
      const orders = Math.round(400 * weekly * (0.9 + random() * 0.2));
      return { day: addDays(from, index), ...sales(orders, { EUR: orders * 3_120, USD: orders * 1_045 }) };
    }),
  };
}

/** 60 products; one is sold out, one runs out, one was never sold, and one is not in the inventory. */
export const PRODUCTS_IN_STOCK: readonly Schemas["StockedProduct"][] = Array.from(
  { length: 60 },
  (_, index) => {
    const unitsSold = Math.max(0, 900 - index * 21);
    const reserved = (index * 7) % 23;
    const stock = index === 3 ? reserved : index === 1 ? 96 + reserved : 480 + reserved + index * 11;
    const available = stock - reserved;
    return {
      sku: `prod-${String(index + 1).padStart(3, "0")}`,
      name:
        index === 5 ? null : `${PRODUCTS[index % PRODUCTS.length]}${index < 6 ? "" : `, edition ${index}`}`,
      unitPrice: money(990 + index * 250, "EUR"),
      stock,
      reserved,
      available,
      unitsSold,
      daysOfCover: unitsSold ? Math.round((available * 300) / unitsSold) / 10 : null,
      toldAt: index === 7 ? `${addDays(TODAY, -12)}T08:00:00.000Z` : null,
    };
  },
);

export function indicators(month: string): Schemas["IndicatorsHistory"] {
  const { closing } = mrr(month);
  const { amountMinor } = closing.amount;
  return {
    from: month,
    to: addMonths(month as Month, 1),
    months: [
      {
        month,
        customers: closing.customers,
        annualRecurringRevenue: money(amountMinor * 12, "EUR"),
        averageRevenuePerAccount: money(Math.round(amountMinor / closing.customers), "EUR"),
        quickRatio: 2.13,
        lifetimeValue: money(412_900, "EUR"),
      },
    ],
    formulas: {
      annualRecurringRevenue: "12 * closing MRR",
      averageRevenuePerAccount: "closing MRR / customers at closing",
      quickRatio: "(new + expansion + reactivation) / (contraction + churn)",
      lifetimeValue:
        "averageRevenuePerAccount / (customers churned / customers at opening); revenue, not margin",
    },
  };
}

/** 70 customers that moved, ordered by kind as the API does. */
export const MOVED: readonly Schemas["CustomerMovement"][] = MOVEMENT_KINDS.flatMap((kind, row) =>
  Array.from({ length: kind === "new" ? 60 : 2 }, (_, index) => ({
    customerId: `customer-${String(row * 100 + index).padStart(6, "0")}`,
    kind,
    amount: money(kind === "exchange" ? 0 : 4_900 + index * 310, "EUR"),
    exchange: money(kind === "exchange" ? -210 : 0, "EUR"),
  })),
);

export function revenueCohorts(basis: Schemas["Cohorts"]["basis"]): Schemas["RevenueCohorts"] {
  const found = cohorts(basis);
  return {
    ...found,
    cohorts: found.cohorts.map(({ months, ...cohort }) => ({
      ...cohort,
      months: months.map(({ month, retention }, offset) => ({
        month,
        revenue:
          retention === null
            ? null
            : ["EUR", "USD"].map((currency) => ({
                currency,
                net: money(Math.round(1_480_000 * retention), currency),
                retention: offset === 3 ? 1.18 : retention,
              })),
      })),
    })),
  };
}
