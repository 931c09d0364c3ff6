import { Dialog } from "../Dialog";
import dialog from "../dialog.module.css";
import { PAGES } from "./pages";
import styles from "./shell.module.css";

const OTHERS = [
  ["Ctrl K", "Go to a page, an order or a customer"],
  ["t", "Change between light and dark"],
  ["?", "Show this list"],
  ["Esc", "Close"],
] as const;

export default function Shortcuts({ close }: { close: () => void }) {
  const all = [...PAGES.map(({ key, title }) => [`g ${key}`, `Go to ${title}`] as const), ...OTHERS];
  return (
    <Dialog label="Keyboard shortcuts" close={close}>
      <div className={dialog.body}>
        <h2>Keyboard shortcuts</h2>
        <dl className={styles.shortcuts}>
          {all.map(([keys, what]) => [
            <dt key={keys}>
              <kbd className={styles.key}>{keys}</kbd>
            </dt>,
            <dd key={what}>{what}</dd>,
          ])}
        </dl>
        <div className={dialog.actions}>
          <button type="button" className="button" onClick={close}>
            Close
          </button>
        </div>
      </div>
    </Dialog>
  );
}
