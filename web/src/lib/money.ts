/** Amounts carry their currency: sums of different ones do not compile, and throw where types cannot see it. */

declare const currencyOf: unique symbol;

export interface Amount<Currency extends string = string> {
  readonly amountMinor: number;
  readonly currency: Currency;
  readonly [currencyOf]?: Currency;
}

export function amount<Currency extends string>(amountMinor: number, currency: Currency): Amount<Currency> {
  return { amountMinor, currency };
}

export function add<Currency extends string>(
  first: Amount<Currency>,
  second: Amount<NoInfer<Currency>>,
): Amount<Currency> {
  if (first.currency !== second.currency) {
    throw new TypeError(`cannot add ${second.currency} to ${first.currency}`);
  }
  return amount(first.amountMinor + second.amountMinor, first.currency);
}

/** How many decimals a currency has, as ISO 4217 lists it: 2 for most, 0 for JPY, 3 for KWD. */
export function decimals(currency: string): number {
  return (
    new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits ?? 2
  );
}

export function major(value: Amount): number {
  return value.amountMinor / 10 ** decimals(value.currency);
}

/** Read an amount that a person typed, with a point or a comma; undefined if it is none in this currency. */
export function minor(text: string, currency: string): number | undefined {
  const match = /^(\d{1,12})(?:[.,](\d+))?$/.exec(text.trim());
  const places = decimals(currency);
  const [, whole = "", fraction = ""] = match ?? [];
  if (!match || fraction.length > places) return undefined;
  return Number(whole + fraction.padEnd(places, "0"));
}

/** Group amounts by currency, so that each chart and each total is about one. */
export function byCurrency<Item>(
  items: readonly Item[],
  of: (item: Item) => string,
): ReadonlyMap<string, readonly Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const group = groups.get(of(item));
    if (group) group.push(item);
    else groups.set(of(item), [item]);
  }
  return groups;
}
