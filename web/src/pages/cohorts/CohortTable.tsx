import type { CSSProperties } from "react";
import type { Schemas } from "../../api/queries";
import { download, toCsv } from "../../lib/csv";
import type { Month } from "../../lib/days";
import type { CohortBasis } from "../../lib/filters";
import { count, month, share, WITHHELD } from "../../lib/format";
import styles from "./cohorts.module.css";

type Cohort = Schemas["Cohort"];

interface CohortTableProps {
  cohorts: readonly Cohort[];
  basis: CohortBasis;
}

/** One row a cohort, one column for each month after its first. The shade repeats the number. */
export function CohortTable({ cohorts, basis }: CohortTableProps) {
  const offsets = Array.from(
    { length: Math.max(...cohorts.map(({ months }) => months.length)) },
    (_, index) => index,
  );
  const save = () =>
    download(
      `cohorts-${basis}.csv`,
      toCsv(
        ["Cohort", "Customers", ...offsets.map((offset) => `Month ${offset}`)],
        cohorts.map((cohort) => [
          cohort.month,
          cohort.customers ?? WITHHELD,
          ...offsets.map((offset) => {
            const cell = cohort.months[offset];
            return cell ? (cell.retention ?? WITHHELD) : null;
          }),
        ]),
      ),
    );
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a table that scrolls sideways has to scroll by keyboard, too */}
      <section className={styles.frame} aria-label="Retention by cohort" tabIndex={0}>
        <table className={styles.table}>
          <caption className="hidden">
            Share of each cohort that was active, by months since its first
          </caption>
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
            {cohorts.map((cohort) => (
              <tr key={cohort.month}>
                <th scope="row">{month(cohort.month as Month)}</th>
                <td>{cohort.customers === null ? WITHHELD : count(cohort.customers)}</td>
                {cohort.months.map((cell) => (
                  <Cell key={cell.month} of={cell} />
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

function Cell({ of: { active, retention, month: inMonth } }: { of: Schemas["CohortCell"] }) {
  if (retention === null) {
    return (
      <td className={styles.withheld}>
        <span className="hidden">{WITHHELD}</span>
      </td>
    );
  }
  const title = `${active === null ? WITHHELD : count(active)} active in ${month(inMonth as Month)}`;
  return (
    <td className={styles.cell} style={{ "--share": retention } as CSSProperties} title={title}>
      {share(retention)}
    </td>
  );
}
