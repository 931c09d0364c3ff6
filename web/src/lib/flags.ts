/** Feature flags: which experiments a visitor sees, decided before the first paint and the same on every page. */

import { type Day, isDay, today } from "./days";

export const FLAGS = {
  "tasks-first": "What needs a person stands above the numbers of today",
} as const;
export type Flag = keyof typeof FLAGS;

interface Rule {
  readonly name: Flag;
  /** Of a hundred visitors, how many see it. */
  readonly share: number;
  /** The last day (UTC) on which anybody does, whatever is still deployed. */
  readonly ends: Day;
}

/** Reads flags.json; what is misspelled there, or has no end, is off. */
export function parseFlags(document: unknown): Rule[] {
  if (document === null || typeof document !== "object") return [];
  return Object.entries(document)
    .map(([name, rule]) => ({ ...rule, name }))
    .filter(
      (rule): rule is Rule =>
        Object.hasOwn(FLAGS, rule.name) && typeof rule.share === "number" && isDay(rule.ends),
    );
}

/** A number from 0 to 99 that the edge gave this browser on its first visit. */
export function variantOf(cookies: string): number | undefined {
  const found = /(?:^|; )variant=(\d{1,2})(?:;|$)/.exec(cookies)?.[1];
  return found === undefined ? undefined : Number(found);
}

export function flagsOf(rules: readonly Rule[], variant: number | undefined, now: Date): ReadonlySet<Flag> {
  const on = rules.filter(
    ({ share, ends }) => variant !== undefined && variant < share && today(now) <= ends,
  );
  return new Set(on.map(({ name }) => name));
}

let flags: ReadonlySet<Flag> = new Set();

/** Called once, before anything is drawn. Without flags.json the console is as it is without experiments. */
export async function loadFlags(): Promise<void> {
  const document: unknown = await fetch("/flags.json")
    .then((response) => (response.ok ? response.json() : undefined))
    .catch(() => undefined);
  flags = flagsOf(parseFlags(document), variantOf(globalThis.document.cookie), new Date());
}

export function isOn(flag: Flag): boolean {
  return flags.has(flag);
}
