import { type DaysFilter, parseDays } from "../lib/filters";

interface DaysFieldsProps {
  value: DaysFilter;
  change: (days: { from?: string | undefined; to?: string | undefined }) => void;
}

/** The first and the last day, both included, as the address holds them. */
export function DaysFields({ value, change }: DaysFieldsProps) {
  const edit = (edited: { from?: string; to?: string }) => {
    const { from, to } = parseDays({ ...value, ...edited });
    change({ from, to });
  };
  return (
    <>
      <label className="field">
        First day (UTC)
        <input
          type="date"
          value={value.from ?? ""}
          max={value.to}
          onChange={(e) => edit({ from: e.target.value })}
        />
      </label>
      <label className="field">
        Last day (UTC)
        <input
          type="date"
          value={value.to ?? ""}
          min={value.from}
          onChange={(e) => edit({ to: e.target.value })}
        />
      </label>
    </>
  );
}
