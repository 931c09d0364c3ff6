import type { ReactNode } from "react";
import { type CsvValue, download, toCsv } from "../../lib/csv";
import { count } from "../../lib/format";
import { ColumnsChoice, chosen } from "./ColumnsChoice";
import { CsvButton } from "./CsvButton";
import styles from "./table.module.css";

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => ReactNode;
  /** Left out where the cell holds no data, as buttons do, and where the server writes the CSV. */
  readonly csv?: (row: Row) => CsvValue;
  readonly isNumber?: boolean;
  /** Left out on phones, where another page or the CSV has it. */
  readonly isWide?: boolean;
}

interface DataTableProps<Row> {
  caption: string;
  /** The first column names the row. */
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => string;
  /** Of the CSV; left out where nobody needs one. */
  fileName?: string;
  /** Where the server has the CSV of all rows; left out where it holds what is shown. */
  csvFrom?: string;
  /** Which columns are left out, and what leaves others out; left out where there is no choice. */
  choice?: { without: string | undefined; change: (without: string | undefined) => void };
  /** What fetches the next page; left out at the end. */
  more?: { load: () => void; isLoading: boolean } | undefined;
}

function classOf<Row>({ isNumber, isWide }: Column<Row>): string {
  return `${isNumber ? styles.end : ""} ${isWide ? styles.wide : ""}`.trim();
}

export function DataTable<Row>(props: DataTableProps<Row>) {
  const { caption, rows, keyOf, fileName, csvFrom, more, choice } = props;
  const columns = chosen(props.columns, choice?.without);
  const save = (name: string) => {
    const saved = columns.flatMap(({ title, csv }) => (csv ? [{ title, csv }] : []));
    const lines = rows.map((row) => saved.map(({ csv }) => csv(row)));
    download(
      name,
      toCsv(
        saved.map(({ title }) => title),
        lines,
      ),
    );
  };
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a table that scrolls sideways has to scroll by keyboard, too */}
      <section className={styles.frame} aria-label={`Table: ${caption}`} tabIndex={0}>
        <table className={styles.table}>
          <caption className="hidden">{caption}</caption>
          <thead>
            <tr>
              {columns.map((column) => (
                <th key={column.title} scope="col" className={classOf(column)}>
                  {column.title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={keyOf(row)}>
                {columns.map((column, index) =>
                  index === 0 ? (
                    <th key={column.title} scope="row">
                      {column.cell(row)}
                    </th>
                  ) : (
                    <td key={column.title} className={classOf(column)}>
                      {column.cell(row)}
                    </td>
                  ),
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <div className={styles.footer}>
        <span aria-live="polite">
          {count(rows.length)} {rows.length === 1 ? "row" : "rows"}
          {more && ", and more"}
        </span>
        <span>
          {more && (
            <button type="button" className="button" onClick={more.load} disabled={more.isLoading}>
              {more.isLoading ? "Loading…" : "Show more"}
            </button>
          )}{" "}
          {choice && <ColumnsChoice columns={props.columns} {...choice} />}
          {fileName && csvFrom && <CsvButton address={csvFrom} fileName={fileName} />}
          {fileName && !csvFrom && (
            <button type="button" className="button quiet" onClick={() => save(fileName)}>
              Download CSV
            </button>
          )}
        </span>
      </div>
    </>
  );
}
