import { useEffect, useState } from "react";
import { type Meta, STALE_AFTER_SECONDS } from "../../api/queries";
import { age, moment } from "../../lib/format";
import styles from "./stat.module.css";

function useNow(everyMs: number): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

/** LIVE with the age of the answer on screen, which turns into "stale" when updates stop arriving. */
export function LivePill({ updatedAt }: { updatedAt: number }) {
  const now = useNow(1_000);
  if (updatedAt === 0) return null;
  const seconds = Math.max(0, (now - updatedAt) / 1_000);
  const isStale = seconds > STALE_AFTER_SECONDS;
  return (
    <span className={styles.pill} data-kind={isStale ? "stale" : "live"}>
      <span className={styles.dot} aria-hidden="true" />
      {isStale ? `stale ${age(seconds)}` : `LIVE · ${age(seconds)}`}
    </span>
  );
}

/** The newest event that the numbers include, and what governance withheld from them. */
export function AsOf({ meta }: { meta: Meta | undefined }) {
  if (!meta) return null;
  return (
    <span className={styles.note}>
      {meta.asOf ? `As of ${moment(meta.asOf)} UTC` : "No events yet"}
      {meta.withheld && ` · withheld: ${meta.withheld}`}
    </span>
  );
}
