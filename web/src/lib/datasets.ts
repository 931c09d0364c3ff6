/** What a file is in on its way to a dataset, and what people decide about it. */

import type { DatasetColumn, DatasetLoad, DatasetProposal, LoadAnswers } from "../api/datasets";
import type { StateWords } from "./words";

type State = DatasetLoad["state"];
export type ColumnType = NonNullable<LoadAnswers["types"]>[string];

export const LOAD_WORDS: Readonly<Record<State, StateWords>> = {
  waiting: {
    name: "Waiting for its file",
    meaning: "The file is on its way. Send it again if the upload broke off.",
  },
  uploaded: { name: "Uploaded", meaning: "The file has arrived, and is looked at next." },
  inspected: { name: "To be confirmed", meaning: "Nothing is loaded yet. Check below how the file is read." },
  loading: {
    name: "Loading",
    meaning: "Rows are being read. The rows before stay until all of them are there.",
  },
  ready: { name: "Loaded", meaning: "Its rows are the dataset's." },
  replaced: { name: "Replaced", meaning: "A later file has replaced it." },
  unchanged: { name: "Unchanged", meaning: "Nothing was loaded, and the rows stay." },
  failed: { name: "Failed", meaning: "Nothing was loaded, and the rows before stay." },
};

export const TYPES: Readonly<Record<ColumnType, string>> = {
  text: "Text",
  integer: "Whole number",
  number: "Number",
  date: "Date",
  timestamp: "Date and time",
};

const GIVEN_UP_MS = 600_000;
const DATE_ORDERS = { ymd: "2026-12-31", dmy: "31/12/2026", mdy: "12/31/2026" } as const;
const DECIMALS = { ".": "1,234.56", ",": "1.234,56" } as const;

/** Whether a load changes by itself soon. One that has waited for its file for long was given up. */
export function isBusy(load: DatasetLoad | undefined, now: number): boolean {
  if (load?.state === "waiting") return now - Date.parse(load.updatedAt) < GIVEN_UP_MS;
  return load?.state === "uploaded" || load?.state === "loading";
}

/** Of the rows that fit, the share that is copied; undefined while nobody knows how many there are. */
export function understood({ state, copied, loaded }: DatasetLoad): number | undefined {
  if (state === "ready" || state === "replaced") return 1;
  return state === "loading" && loaded ? Math.min(1, copied / loaded) : undefined;
}

/** sales.june.csv → sales.june */
export function nameOfFile(fileName: string): string {
  return fileName.replace(/(?<=.)\.[^.]*$/, "");
}

/** Why a file cannot be sent; undefined of one that can. */
export function whyNot(file: { size: number }, maxBytes: number): string | undefined {
  if (file.size === 0) return "The file is empty. Choose one with rows.";
  if (file.size > maxBytes)
    return `The file has more than ${Math.floor(maxBytes / 1_048_576)} MB. Split it into several.`;
  return undefined;
}

/** What somebody chose for a column; what is left out stays as it was guessed. */
export interface Choice {
  readonly type?: ColumnType;
  readonly reading?: string;
}
export type Choices = Readonly<Record<string, Choice>>;

/** The ways to read values of a type; none where there is one way alone. */
export function readings(type: string): Readonly<Record<string, string>> | undefined {
  if (type === "number") return DECIMALS;
  return isTime(type) ? DATE_ORDERS : undefined;
}

function isTime(type: string): boolean {
  return type === "date" || type === "timestamp";
}

export function typeOf(column: DatasetColumn, choices: Choices): string {
  return choices[column.name]?.type ?? column.type;
}

/** Whether nothing can be loaded before somebody chooses how to read this column. */
export function isOpen(column: DatasetColumn, choices: Choices): boolean {
  const type = typeOf(column, choices);
  const isAsked = type === column.type ? column.question !== null : readings(type) !== undefined;
  return isAsked && !choices[column.name]?.reading;
}

/** The columns that could say when each row was. */
export function timesOf({ columns }: DatasetProposal, choices: Choices): string[] {
  return columns.filter((column) => isTime(typeOf(column, choices))).map(({ name }) => name);
}

/** What the API is told: choices that differ from the guesses, and only those that belong to the type. */
export function answersOf(proposal: DatasetProposal, choices: Choices, time: string | null): LoadAnswers {
  const types: [string, ColumnType][] = [];
  const dateOrders: [string, keyof typeof DATE_ORDERS][] = [];
  const decimals: [string, keyof typeof DECIMALS][] = [];
  for (const column of proposal.columns) {
    const { type, reading } = choices[column.name] ?? {};
    if (type && type !== column.type) types.push([column.name, type]);
    const ways = readings(typeOf(column, choices));
    if (!reading || !ways || !(reading in ways)) continue;
    if (ways === DECIMALS) decimals.push([column.name, reading as keyof typeof DECIMALS]);
    else dateOrders.push([column.name, reading as keyof typeof DATE_ORDERS]);
  }
  return {
    time: time !== null && timesOf(proposal, choices).includes(time) ? time : null,
    types: Object.fromEntries(types),
    dateOrders: Object.fromEntries(dateOrders),
    decimals: Object.fromEntries(decimals),
  };
}
