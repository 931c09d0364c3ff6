import { useState } from "react";
import { Dialog } from "./Dialog";
import dialog from "./dialog.module.css";

interface ShownOnceProps {
  title: string;
  explanation: string;
  values: readonly { readonly name: string; readonly value: string }[];
  close: () => void;
}

/** A secret that nobody can read again: it is copied now, or made anew. */
export function ShownOnce({ title, explanation, values, close }: ShownOnceProps) {
  return (
    <Dialog label={title} close={close}>
      <div className={dialog.body}>
        <h2>{title}</h2>
        <p>{explanation}</p>
        {values.map(({ name, value }) => (
          <CopyField key={name} name={name} value={value} />
        ))}
        <div className={dialog.actions}>
          <button type="button" className="button primary" onClick={close}>
            I have copied it
          </button>
        </div>
      </div>
    </Dialog>
  );
}

function CopyField({ name, value }: { name: string; value: string }) {
  const [isCopied, setIsCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(value);
    setIsCopied(true);
  };
  return (
    <div className={dialog.copy}>
      <label className="field">
        {name}
        <input readOnly value={value} onFocus={(event) => event.target.select()} />
      </label>
      <button type="button" className="button" onClick={() => void copy()} aria-label={`Copy ${name}`}>
        {isCopied ? "Copied" : "Copy"}
      </button>
    </div>
  );
}
