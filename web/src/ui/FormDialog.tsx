import type { ReactNode } from "react";
import { Dialog } from "./Dialog";
import styles from "./dialog.module.css";

interface FormDialogProps {
  title: string;
  /** What the button says that does it. */
  action: string;
  /** What the button says that leaves everything as it is. */
  keep: string;
  isDangerous?: boolean;
  request: { mutate: () => void; isPending: boolean; error: Error | null };
  close: () => void;
  children: ReactNode;
}

/** Asks before anything changes; a failure stays on screen with its reason, and nothing typed is lost. */
export function FormDialog({ title, action, keep, isDangerous, request, close, children }: FormDialogProps) {
  return (
    <Dialog label={title} close={close}>
      <form
        className={styles.body}
        onSubmit={(event) => {
          event.preventDefault();
          event.stopPropagation();
          if (!request.isPending) request.mutate();
        }}
      >
        <h2>{title}</h2>
        {children}
        {request.error && (
          <p role="alert" className={styles.failure}>
            <strong>Not done.</strong> {request.error.message}
          </p>
        )}
        <div className={styles.actions}>
          <button type="button" className="button" onClick={close}>
            {keep}
          </button>
          <button
            type="submit"
            className={`button ${isDangerous ? "danger" : "primary"}`}
            disabled={request.isPending}
          >
            {request.isPending ? "Sending…" : action}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
