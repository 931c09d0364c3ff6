import type { ReactNode } from "react";
import { change as changeText } from "../../lib/format";
import styles from "./stat.module.css";

interface StatProps {
  name: string;
  value: string;
  /** Relative to the period before; null where there is nothing to compare with. */
  change?: number | null;
  /** Whether more is good news; left out where it is neither. */
  moreIsGood?: boolean;
  note?: ReactNode;
  formula?: string | undefined;
}

/** Less than what is shown of it: neither more nor less. */
const UNCHANGED = 0.0005;

const ARROWS = { "-1": "↓", "0": "→", "1": "↑" } as const;

function arrow(change: number): string {
  return ARROWS[`${Math.sign(change)}` as keyof typeof ARROWS] ?? "";
}

/** One number with what it was before and how it is computed. */
export function Stat({ name, value, change, moreIsGood, note, formula }: StatProps) {
  const shown = change != null && Math.abs(change) < UNCHANGED ? 0 : change;
  const isGood = shown && moreIsGood !== undefined ? shown > 0 === moreIsGood : undefined;
  return (
    <div className={styles.stat}>
      <span className={styles.name}>{name}</span>
      <span className={styles.value}>{value}</span>
      {(note || shown != null) && (
        <span className={styles.note}>
          {shown != null && (
            <span className={styles.change} data-good={isGood}>
              <span aria-hidden="true">{arrow(shown)} </span>
              {changeText(shown)}
            </span>
          )}
          {note}
        </span>
      )}
      {formula && <span className={styles.formula}>{formula}</span>}
    </div>
  );
}
