/** Everything a person reads that is not a sentence: money, numbers, shares, days, ages. One place, one language. */

import type { Day, Month } from "./days";
import { type Amount, decimals, major } from "./money";

const LOCALE = "en-GB";

const INTEGER = new Intl.NumberFormat(LOCALE);
const SHARE = new Intl.NumberFormat(LOCALE, { style: "percent", maximumFractionDigits: 1 });
const CHANGE = new Intl.NumberFormat(LOCALE, {
  style: "percent",
  maximumFractionDigits: 1,
  signDisplay: "exceptZero",
});
const MOMENT = new Intl.DateTimeFormat(LOCALE, { dateStyle: "medium", timeStyle: "medium", timeZone: "UTC" });
const DAY = new Intl.DateTimeFormat(LOCALE, {
  day: "numeric",
  month: "short",
  year: "numeric",
  timeZone: "UTC",
});
const MONTH = new Intl.DateTimeFormat(LOCALE, { month: "short", year: "numeric", timeZone: "UTC" });

/** What stands where a number was held back, because a group is small. */
export const WITHHELD = "too few to show";
export const MISSING = "–";

export function count(value: number): string {
  return INTEGER.format(value);
}

export function share(value: number | null | undefined): string {
  return value == null ? MISSING : SHARE.format(value);
}

export function change(value: number | null | undefined): string {
  return value == null ? MISSING : CHANGE.format(value);
}

export function money(value: Amount | null | undefined): string {
  if (!value) return MISSING;
  return new Intl.NumberFormat(LOCALE, { style: "currency", currency: value.currency }).format(major(value));
}

/** Short enough for an axis: €1.2M. */
export function moneyShort(value: Amount): string {
  return new Intl.NumberFormat(LOCALE, {
    style: "currency",
    currency: value.currency,
    notation: "compact",
    maximumFractionDigits: Math.min(1, decimals(value.currency)),
  }).format(major(value));
}

export function day(value: Day): string {
  return DAY.format(new Date(`${value}T00:00:00Z`));
}

export function month(value: Month): string {
  return MONTH.format(new Date(`${value}-01T00:00:00Z`));
}

/** A moment, to the second, in UTC, which the page says once. */
export function moment(value: string | null | undefined): string {
  return value == null ? MISSING : MOMENT.format(new Date(value));
}

/** How long ago, for a person: 8 s, 3 min, 2 h, 5 d. */
export function age(seconds: number): string {
  if (seconds < 60) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 3_600) return `${Math.round(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

/** CALLED_OFF and payment_failed as a person writes them: Called off, Payment failed. */
export function words(name: string | null | undefined): string {
  if (!name) return MISSING;
  const spaced = name.replaceAll("_", " ").toLowerCase();
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

/** Between names that the code writes together: OrderPlaced → Order placed. */
export function wordsOfEvent(name: string): string {
  return words(name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, "_"));
}
