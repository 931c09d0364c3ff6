import styles from "./table.module.css";

interface Titled {
  readonly title: string;
}

/** As the address names a column: Placed (UTC) → placed-utc. */
function keyOf({ title }: Titled): string {
  return title
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replace(/-$/, "");
}

/** The columns that are shown; the first names the row and stays. */
export function chosen<Column extends Titled>(
  columns: readonly Column[],
  without: string | undefined,
): readonly Column[] {
  if (!without) return columns;
  const left = without.split(".");
  return columns.filter((column, index) => index === 0 || !left.includes(keyOf(column)));
}

interface ColumnsChoiceProps {
  columns: readonly Titled[];
  without: string | undefined;
  change: (without: string | undefined) => void;
}

/** Which columns a table has: held in the address, so that views and shared links keep it. */
export function ColumnsChoice({ columns, without, change }: ColumnsChoiceProps) {
  const shown = chosen(columns, without);
  const toggle = (column: Titled) => {
    const left = columns.filter((each) => (each === column ? shown.includes(each) : !shown.includes(each)));
    change(left.map(keyOf).join(".") || undefined);
  };
  return (
    <details className={styles.choice}>
      <summary className="button quiet">Columns</summary>
      <fieldset>
        <legend className="hidden">Columns of the table</legend>
        {columns.slice(1).map((column) => (
          <label key={column.title} className="check">
            <input type="checkbox" checked={shown.includes(column)} onChange={() => toggle(column)} />
            <span>{column.title}</span>
          </label>
        ))}
      </fieldset>
    </details>
  );
}
