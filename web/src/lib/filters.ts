/** Filters as the address holds them. What a person mistypes there is left out, never an error page. */

import { addDays, type Day, isDay, isMonth, type Month, today } from "./days";

export const ORDER_STATUSES = [
  "PLACED",
  "RESERVED",
  "CONFIRMED",
  "REJECTED",
  "CANCELLED",
  "REFUNDED",
] as const;
export type OrderStatus = (typeof ORDER_STATUSES)[number];

export interface DaysFilter {
  readonly from?: Day;
  readonly to?: Day;
}

export interface OrdersFilter extends DaysFilter {
  readonly status?: OrderStatus;
  readonly customer?: string;
  /** Columns that are left out, with dots between. */
  readonly without?: string;
}

export const COHORT_BASES = ["order", "subscription"] as const;
export type CohortBasis = (typeof COHORT_BASES)[number];

export const COHORT_MEASURES = ["customers", "revenue"] as const;
export type CohortMeasure = (typeof COHORT_MEASURES)[number];

export const MOVEMENT_KINDS = [
  "new",
  "expansion",
  "reactivation",
  "contraction",
  "churn",
  "exchange",
] as const;
export type MovementKind = (typeof MOVEMENT_KINDS)[number];

export const MONTH_COUNTS = ["6", "12", "24"] as const;
export type MonthCount = (typeof MONTH_COUNTS)[number];

type Raw = Record<string, unknown>;

function oneOf<Value extends string>(values: readonly Value[], raw: unknown): Value | undefined {
  return values.find((value) => value === raw);
}

/** Without the keys that have no value: the address shows only what is filtered. */
function given<Filter extends object>(filter: { [Key in keyof Filter]: Filter[Key] | undefined }): Filter {
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)) as Filter;
}

function text(raw: unknown, length: number): string | undefined {
  return (typeof raw === "string" && raw.trim().slice(0, length)) || undefined;
}

export function parseDays(raw: Raw): DaysFilter {
  const from = isDay(raw.from) ? raw.from : undefined;
  const to = isDay(raw.to) && !(from && raw.to < from) ? raw.to : undefined;
  return given<DaysFilter>({ from, to });
}

export function parseOrders(raw: Raw): OrdersFilter {
  return given<OrdersFilter>({
    ...parseDays(raw),
    status: oneOf(ORDER_STATUSES, raw.status),
    customer: text(raw.customer, 128),
    without: text(raw.without, 256),
  });
}

export interface InventoryFilter {
  readonly search?: string;
}

export function parseInventory(raw: Raw): InventoryFilter {
  return given<InventoryFilter>({ search: text(raw.search, 256) });
}

export interface WebhookFilter {
  /** The id of the one that is shown with its deliveries. */
  readonly webhook?: string;
}

export function parseWebhook(raw: Raw): WebhookFilter {
  return given<WebhookFilter>({ webhook: text(raw.webhook, 64) });
}

export interface DatasetFilter {
  /** The id of the one that is shown. */
  readonly dataset?: string;
}

export function parseDataset(raw: Raw): DatasetFilter {
  return given<DatasetFilter>({ dataset: text(raw.dataset, 64) });
}

export interface OperationsFilter {
  readonly function?: string;
}

export function parseOperations(raw: Raw): OperationsFilter {
  return given<OperationsFilter>({ function: text(raw.function, 64) });
}

export interface CohortsFilter {
  readonly basis?: CohortBasis;
  readonly measure?: CohortMeasure;
}

export function parseCohorts(raw: Raw): CohortsFilter {
  const basis = oneOf(COHORT_BASES, raw.basis);
  return given<CohortsFilter>({ basis, measure: oneOf(COHORT_MEASURES, raw.measure) });
}

export interface RevenueFilter {
  readonly months?: MonthCount;
  readonly month?: Month;
  readonly kind?: MovementKind;
}

export function parseRevenue(raw: Raw): RevenueFilter {
  const month = isMonth(raw.month) ? raw.month : undefined;
  const kind = oneOf(MOVEMENT_KINDS, raw.kind);
  return given<RevenueFilter>({ months: oneOf(MONTH_COUNTS, raw.months), month, kind });
}

export const SALES_GROUPS = ["region", "channel", "product"] as const;
export type SalesGroup = (typeof SALES_GROUPS)[number];

export const PRODUCT_SORTS = ["units", "revenue"] as const;
export type ProductSort = (typeof PRODUCT_SORTS)[number];

export interface SalesFilter extends DaysFilter {
  readonly by?: SalesGroup;
  readonly sort?: ProductSort;
}

export function parseSales(raw: Raw): SalesFilter {
  const [by, sort] = [oneOf(SALES_GROUPS, raw.by), oneOf(PRODUCT_SORTS, raw.sort)];
  return given<SalesFilter>({ ...parseDays(raw), by, sort });
}

export function parseNext(raw: Raw): { next?: string } {
  // Only a path of this site: //host and /\host would lead away from it.
  const next = typeof raw.next === "string" && /^\/(?![/\\])/.test(raw.next) ? raw.next : undefined;
  return given<{ next?: string }>({ next });
}

/** The days to ask for: as filtered, else the last 30 up to today. */
export function daysOf(filter: DaysFilter, now: Date): { from: Day; to: Day } {
  const to = filter.to ?? (filter.from && filter.from > today(now) ? filter.from : today(now));
  return { from: filter.from ?? addDays(to, -29), to };
}

/** Search parameters are text: a customer called 007 stays 007. */
export function parseSearch(search: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(search));
}

export function stringifySearch(search: Raw): string {
  const known = Object.entries(search).filter(([, value]) => value !== undefined && value !== "");
  const text = new URLSearchParams(known.map(([key, value]) => [key, String(value)])).toString();
  return text && `?${text}`;
}
