import { words } from "../../lib/format";
import styles from "./stat.module.css";

const KINDS: Record<string, string> = {
  PLACED: "info",
  RESERVED: "info",
  CONFIRMED: "good",
  SUCCEEDED: "good",
  REJECTED: "bad",
  FAILED: "bad",
  CANCELLED: "warn",
  REFUNDED: "warn",
  CALLED_OFF: "warn",
  RETURNED: "warn",
};

/** The status in words; the colour only repeats it. */
export function StatusPill({ status }: { status: string }) {
  return (
    <span className={styles.pill} data-kind={KINDS[status] ?? "info"}>
      {words(status)}
    </span>
  );
}
