import { useNavigate } from "@tanstack/react-router";
import { type KeyboardEvent, useId, useState } from "react";
import { Dialog } from "../Dialog";
import { PAGES } from "./pages";
import styles from "./shell.module.css";

interface Entry {
  readonly name: string;
  readonly run: () => void;
}

/** Ctrl+K: go to a page, or to an order by its id. */
export default function Palette({ close }: { close: () => void }) {
  const navigate = useNavigate();
  const id = useId();
  const [text, setText] = useState("");
  const [position, setPosition] = useState(0);
  const wanted = text.trim();

  const entries: Entry[] = PAGES.filter((page) =>
    page.title.toLowerCase().includes(wanted.toLowerCase()),
  ).map((page) => ({ name: page.title, run: () => void navigate({ to: page.path }) }));
  if (wanted.length > 2) {
    entries.push({
      name: `Open order “${wanted}”`,
      run: () => void navigate({ to: "/orders/$orderId", params: { orderId: wanted } }),
    });
    entries.push({
      name: `Orders of customer “${wanted}”`,
      run: () => void navigate({ to: "/orders", search: { customer: wanted } }),
    });
  }
  const selected = Math.min(position, entries.length - 1);

  const choose = (entry: Entry | undefined) => {
    if (!entry) return;
    close();
    entry.run();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      setPosition((selected + step + entries.length) % Math.max(1, entries.length));
    }
    if (event.key === "Enter") choose(entries[selected]);
  };

  return (
    <Dialog label="Go to" close={close}>
      <div className={styles.palette}>
        <input
          autoFocus
          role="combobox"
          aria-label="Page, order id or customer"
          aria-expanded={entries.length > 0}
          aria-controls={id}
          aria-activedescendant={entries.length > 0 ? `${id}-${selected}` : undefined}
          placeholder="Page, order id or customer"
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setPosition(0);
          }}
          onKeyDown={onKeyDown}
        />
        <div role="listbox" id={id} aria-label="Results">
          {entries.map((entry, index) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: keys are the input's, which keeps the focus
            <div
              key={entry.name}
              id={`${id}-${index}`}
              role="option"
              tabIndex={-1}
              aria-selected={index === selected}
              onClick={() => choose(entry)}
            >
              {entry.name}
            </div>
          ))}
        </div>
        {entries.length === 0 && <p className="muted">No page has this name.</p>}
      </div>
    </Dialog>
  );
}
