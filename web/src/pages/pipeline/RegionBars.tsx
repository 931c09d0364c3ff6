import type { Schemas } from "../../api/queries";
import { money } from "../../lib/format";
import { takingsIn } from "../../lib/takings";
import styles from "./pipeline.module.css";

interface RegionBarsProps {
  regions: readonly Schemas["RegionSales"][];
  currencies: readonly string[];
}

/** Net revenue by region, one scale per currency. The table below it has the same numbers and more. */
export function RegionBars({ regions, currencies }: RegionBarsProps) {
  return (
    <div className={styles.groups}>
      {currencies.map((currency) => (
        <Currency key={currency} regions={regions} currency={currency} />
      ))}
    </div>
  );
}

function Currency({ regions, currency }: { regions: RegionBarsProps["regions"]; currency: string }) {
  const bars = regions
    .flatMap((row) => {
      const net = takingsIn(row, currency)?.net;
      return net ? [{ name: row.region ?? "Not named", net }] : [];
    })
    .sort((a, b) => b.net.amountMinor - a.net.amountMinor);
  const largest = Math.max(1, ...bars.map(({ net }) => net.amountMinor));
  return (
    <div>
      <h3 className={styles.title}>Net revenue, {currency}</h3>
      <ul className={styles.bars}>
        {bars.map(({ name, net }) => (
          <li key={name}>
            <span>{name}</span>
            <span className={styles.track}>
              <span
                className={styles.bar}
                style={{ width: `${Math.max(0.5, (100 * net.amountMinor) / largest)}%` }}
              />
            </span>
            <span className={styles.amount}>{money(net)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
