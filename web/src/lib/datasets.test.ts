import { expect, test } from "vitest";
import type { DatasetLoad, DatasetProposal } from "../api/datasets";
import {
  answersOf,
  isBusy,
  isOpen,
  LOAD_WORDS,
  nameOfFile,
  readings,
  timesOf,
  understood,
  whyNot,
} from "./datasets";

const LOAD: DatasetLoad = {
  loadId: 1,
  state: "loading",
  fileName: "sales.csv",
  bytes: 10,
  records: 10,
  loaded: 8,
  rejected: 2,
  copied: 2,
  reason: null,
  createdBy: "user-1",
  createdAt: "2026-11-01T08:00:00Z",
  updatedAt: "2026-11-01T08:00:00Z",
};
const PROPOSAL: DatasetProposal = {
  time: "day",
  columns: [
    { name: "day", type: "date", question: "date-order", reason: "" },
    { name: "sent", type: "timestamp", question: null, reason: "" },
    { name: "price", type: "number", question: null, reason: "" },
    { name: "region", type: "text", question: null, reason: "" },
  ],
  guesses: [],
  sample: [],
};
const [DAY, , PRICE, REGION] = PROPOSAL.columns as [
  DatasetProposal["columns"][number],
  unknown,
  DatasetProposal["columns"][number],
  DatasetProposal["columns"][number],
];

test("every state has a name of its own and sentences", () => {
  const all = Object.values(LOAD_WORDS);
  expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
  for (const { meaning } of all) expect(meaning).toMatch(/^[A-Z].*\.$/);
});

test("a load that is under way is asked for often, and one that waits for somebody is not", () => {
  const states = Object.keys(LOAD_WORDS) as DatasetLoad["state"][];
  const busyAt = (now: string) => states.filter((state) => isBusy({ ...LOAD, state }, Date.parse(now)));
  expect(busyAt("2026-11-01T08:00:05Z")).toEqual(["waiting", "uploaded", "loading"]);
  expect(busyAt("2026-11-01T09:00:00Z")).toEqual(["uploaded", "loading"]);
  expect(isBusy(undefined, 0)).toBe(false);
});

test("how far a load is, is known once its rows are counted", () => {
  expect(understood(LOAD)).toBe(0.25);
  expect(understood({ ...LOAD, loaded: null })).toBeUndefined();
  expect(understood({ ...LOAD, state: "uploaded" })).toBeUndefined();
  expect(understood({ ...LOAD, state: "ready", loaded: 0 })).toBe(1);
});

test.each([
  ["sales.csv", "sales"],
  ["sales.june.csv", "sales.june"],
  ["sales", "sales"],
  [".csv", ".csv"],
])("%s is called %s", (fileName, name) => {
  expect(nameOfFile(fileName)).toBe(name);
});

test("an empty file is not sent, nor one that is too large", () => {
  expect(whyNot({ size: 0 }, 10)).toMatch(/empty/);
  expect(whyNot({ size: 2_097_153 }, 2_097_152)).toMatch(/more than 2 MB/);
  expect(whyNot({ size: 2_097_152 }, 2_097_152)).toBeUndefined();
});

test("a column is open until somebody chooses how it is written", () => {
  expect(isOpen(DAY, {})).toBe(true);
  expect(isOpen(DAY, { day: { reading: "dmy" } })).toBe(false);
  expect(isOpen(DAY, { day: { type: "text" } })).toBe(false);
  expect(isOpen(PRICE, {})).toBe(false);
  expect(isOpen(REGION, { region: { type: "number", reading: "" } })).toBe(true);
  expect(isOpen(REGION, { region: { type: "integer" } })).toBe(false);
});

test("columns of times follow the chosen types", () => {
  expect(timesOf(PROPOSAL, {})).toEqual(["day", "sent"]);
  expect(timesOf(PROPOSAL, { day: { type: "text" }, region: { type: "date" } })).toEqual(["sent", "region"]);
});

test("answers hold what differs from the guesses", () => {
  expect(answersOf(PROPOSAL, {}, "day")).toEqual({ time: "day", types: {}, dateOrders: {}, decimals: {} });
  const choices = {
    day: { reading: "dmy" },
    price: { type: "number", reading: "" },
    region: { type: "number", reading: "," },
    sent: { type: "text", reading: "ymd" },
  } as const;
  expect(answersOf(PROPOSAL, choices, "sent")).toEqual({
    time: null,
    types: { region: "number", sent: "text" },
    dateOrders: { day: "dmy" },
    decimals: { region: "," },
  });
});

test("a way to write dates is none to write numbers", () => {
  expect(Object.keys(readings("date") ?? {})).toEqual(["ymd", "dmy", "mdy"]);
  expect(Object.keys(readings("number") ?? {})).toEqual([".", ","]);
  expect(readings("integer")).toBeUndefined();
  expect(answersOf(PROPOSAL, { day: { type: "number", reading: "dmy" } }, null).decimals).toEqual({});
});
