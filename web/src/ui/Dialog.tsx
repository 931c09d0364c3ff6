import { type ReactNode, useEffect, useRef } from "react";
import { createPortal } from "react-dom";

/** A modal dialog, outside of what opened it (a form holds no other form): the browser keeps the focus inside, gives it back, and closes on Escape. */
export function Dialog({
  label,
  close,
  children,
}: {
  label: string;
  close: () => void;
  children: ReactNode;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    return () => shown?.close();
  }, []);
  return createPortal(
    <dialog ref={dialog} aria-label={label} onClose={close}>
      {children}
    </dialog>,
    document.body,
  );
}
