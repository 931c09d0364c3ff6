import type { CSSProperties } from "react";
import { type CsvValue, download, toCsv } from "../../lib/csv";
import type { Month } from "../../lib/days";
import { count, month, share, WITHHELD } from "../../lib/format";
import styles from "./cohorts.module.css";

/** What one cohort was in one month; null where its group is too small to show. */
export interface CohortCell {
  readonly month: string;
  readonly share: number | null;
  /** Said where one points at the cell. */
  readonly detail: string;
  readonly csv: CsvValue;
}

export interface CohortRow {
  readonly month: string;
  readonly customers: number | null;
  readonly cells: readonly (CohortCell | null)[];
}

interface CohortTableProps {
  caption: string;
  fileName: string;
  rows: readonly CohortRow[];
}

/** One row a cohort, one column for each month after its first. The shade repeats the number. */
export function CohortTable({ caption, fileName, rows }: CohortTableProps) {
  const offsets = Array.from(
    { length: Math.max(...rows.map(({ cells }) => cells.length)) },
    (_, index) => index,
  );
  const save = () =>
    download(
      fileName,
      toCsv(
        ["Cohort", "Customers", ...offsets.map((offset) => `Month ${offset}`)],
        rows.map((row) => [
          row.month,
          row.customers ?? WITHHELD,
          ...offsets.map((offset) => {
            const cell = row.cells[offset];
            return cell === undefined ? null : (cell?.csv ?? WITHHELD);
          }),
        ]),
      ),
    );
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a table that scrolls sideways has to scroll by keyboard, too */}
      <section className={styles.frame} aria-label={`Table: ${caption}`} tabIndex={0}>
        <table className={styles.table}>
          <caption className="hidden">{caption}</caption>
          <thead>
            <tr>
              <th scope="col">Cohort</th>
              <th scope="col">Customers</th>
              {offsets.map((offset) => (
                <th key={offset} scope="col">
                  <span className="hidden">Month </span>
                  {offset}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.month}>
                <th scope="row">{month(row.month as Month)}</th>
                <td>{row.customers === null ? WITHHELD : count(row.customers)}</td>
                {offsets.slice(0, row.cells.length).map((offset) => (
                  <Cell key={offset} of={row.cells[offset] ?? null} />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <p className={styles.note}>
        Columns are months since the first. An empty frame means: {WITHHELD}.{" "}
        <button type="button" className="button quiet" onClick={save}>
          Download CSV
        </button>
      </p>
    </>
  );
}

function Cell({ of: cell }: { of: CohortCell | null }) {
  if (cell === null) {
    return (
      <td className={styles.withheld}>
        <span className="hidden">{WITHHELD}</span>
      </td>
    );
  }
  // Revenue can grow beyond that of the first month; a shade cannot.
  const shade = { "--share": Math.min(1, cell.share ?? 0) } as CSSProperties;
  return (
    <td className={styles.cell} style={shade} title={cell.detail}>
      {share(cell.share)}
    </td>
  );
}
