import { useMutation } from "@tanstack/react-query";
import { saveCsv } from "../../api/csv";

interface CsvButtonProps {
  address: string;
  fileName: string;
}

/** Saves all rows of a list as the server writes them; it may take several requests. */
export function CsvButton({ address, fileName }: CsvButtonProps) {
  const saving = useMutation({ mutationFn: () => saveCsv(address, fileName) });
  return (
    <>
      {saving.error && <span role="alert">Not downloaded: {saving.error.message} </span>}
      <button
        type="button"
        className="button quiet"
        disabled={saving.isPending}
        onClick={() => saving.mutate()}
      >
        {saving.isPending ? "Downloading…" : "Download CSV"}
      </button>
    </>
  );
}
