import type { StateWords } from "../../lib/words";
import styles from "./stat.module.css";

const KINDS: Record<string, string> = {
  CONFIRMED: "good",
  SUCCEEDED: "good",
  REJECTED: "bad",
  FAILED: "bad",
  CANCELLED: "warn",
  REFUNDED: "warn",
  CALLED_OFF: "warn",
  RETURNED: "warn",
  ok: "good",
  failing: "warn",
  gone: "bad",
  gaveUp: "bad",
  delivered: "good",
  retrying: "warn",
  failed: "bad",
  dropped: "warn",
  inspected: "warn",
  ready: "good",
};

/** The status in words for people; the colour only repeats them. */
export function StatusPill<Status extends string>({
  status,
  of,
}: {
  status: Status;
  of: Readonly<Record<Status, StateWords>>;
}) {
  return (
    <span className={styles.pill} data-kind={KINDS[status] ?? "info"} title={of[status].meaning}>
      {of[status].name}
    </span>
  );
}
