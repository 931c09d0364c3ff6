import { useEffect, useRef } from "react";

const SEQUENCE_MS = 1_000;

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    target.closest("input, select, textarea, [contenteditable], dialog") !== null
  );
}

/** Keys of the whole page: single ones, `g` followed by another, and Ctrl+K also while typing. */
export function useKeys(keys: Readonly<Record<string, () => void>>): void {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    let before = { key: "", at: 0 };
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.altKey || event.repeat) return;
      const isCommand = event.ctrlKey || event.metaKey;
      if (!isCommand && isTyping(event.target)) return;
      const follows = before.key === "g" && event.timeStamp - before.at < SEQUENCE_MS;
      const name = isCommand ? `ctrl+${event.key.toLowerCase()}` : follows ? `g ${event.key}` : event.key;
      before = { key: event.key, at: event.timeStamp };
      const run = latest.current[name];
      if (!run) return;
      event.preventDefault();
      run();
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, []);
}
