import { type ReactNode, useEffect } from "react";
import styles from "./form-frame.module.css";

/** One thing to do, in the middle of a page without navigation. */
export function FormFrame({
  title,
  lead,
  children,
}: {
  title: string;
  lead?: ReactNode;
  children: ReactNode;
}) {
  useEffect(() => {
    document.title = `${title} · PulseQueue`;
  }, [title]);
  return (
    <main className={styles.page}>
      <div className={styles.card}>
        <img src="/icon.svg" alt="" width="40" height="40" />
        <div>
          <h1>{title}</h1>
          {lead && <p className="muted">{lead}</p>}
        </div>
        {children}
      </div>
    </main>
  );
}
