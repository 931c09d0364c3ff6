import { useEffect, useState } from "react";

interface SearchFieldProps {
  label: string;
  placeholder: string;
  value: string;
  change: (text: string) => void;
}

/** Applied on Enter or when the field is left, not with every letter. */
export function SearchField({ label, placeholder, value, change }: SearchFieldProps) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  const apply = () => {
    if (text.trim() !== value) change(text);
  };
  return (
    <label className="field">
      {label}
      <input
        type="search"
        value={text}
        placeholder={placeholder}
        onChange={(event) => setText(event.target.value)}
        onBlur={apply}
        onKeyDown={(event) => event.key === "Enter" && apply()}
      />
    </label>
  );
}
