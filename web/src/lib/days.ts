/** Calendar days and months as the API writes them: strings, never Date objects that a time zone could shift. */

export type Day = `${number}-${number}-${number}`;
export type Month = `${number}-${number}`;

const DAY = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/;
const MONTH = /^\d{4}-(0[1-9]|1[0-2])$/;

export function isDay(text: unknown): text is Day {
  if (typeof text !== "string" || !DAY.test(text)) return false;
  return new Date(`${text}T00:00:00Z`).toISOString().slice(0, 10) === text;
}

export function isMonth(text: unknown): text is Month {
  return typeof text === "string" && MONTH.test(text);
}

/** Today in UTC, as every day of the API is. */
export function today(now: Date): Day {
  return now.toISOString().slice(0, 10) as Day;
}

export function addDays(day: Day, count: number): Day {
  const moved = new Date(`${day}T00:00:00Z`);
  moved.setUTCDate(moved.getUTCDate() + count);
  return today(moved);
}

export function monthOf(day: Day): Month {
  return day.slice(0, 7) as Month;
}

export function addMonths(month: Month, count: number): Month {
  const [year = 0, index = 1] = month.split("-").map(Number);
  const moved = new Date(Date.UTC(year, index - 1 + count, 1));
  return moved.toISOString().slice(0, 7) as Month;
}

/** The months from one to another, both included. */
export function monthsBetween(from: Month, to: Month): Month[] {
  const months: Month[] = [];
  for (let month = from; month <= to; month = addMonths(month, 1)) months.push(month);
  return months;
}
