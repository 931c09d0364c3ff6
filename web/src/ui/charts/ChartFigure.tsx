import { lazy, type ReactNode, Suspense } from "react";
import { part } from "../../lib/load";
import { Skeleton } from "../states/states";
import styles from "./charts.module.css";

export interface ChartPoint {
  /** On the axis, short. */
  readonly label: string;
  readonly title: string;
  readonly values: Readonly<Record<string, number>>;
}

export interface ChartProps {
  readonly title: string;
  readonly points: readonly ChartPoint[];
  readonly series: readonly { readonly name: string; readonly color: string }[];
  readonly short: (value: number) => string;
  readonly full: (value: number) => string;
  readonly height: number;
}

const Bars = lazy(part(() => import("./Bars")));

/** A chart, its legend, and the same numbers as a table. */
export function ChartFigure({ chart, table }: { chart: ChartProps; table: ReactNode }) {
  return (
    <figure className={styles.figure}>
      {chart.series.length > 1 && (
        <ul className={styles.legend} aria-hidden="true">
          {chart.series.map(({ name, color }) => (
            <li key={name}>
              <span className={styles.swatch} style={{ background: color }} />
              {name}
            </li>
          ))}
        </ul>
      )}
      <div className={styles.canvas} style={{ minHeight: chart.height }}>
        <Suspense fallback={<Skeleton height={chart.height} />}>
          <Bars chart={chart} />
        </Suspense>
      </div>
      <details>
        <summary>Show the numbers as a table</summary>
        {table}
      </details>
    </figure>
  );
}
