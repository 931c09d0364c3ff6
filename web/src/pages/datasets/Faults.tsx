import { useMutation, useQuery } from "@tanstack/react-query";
import { addressOfFaults, type DatasetLoad, type Fault, faultsQuery } from "../../api/datasets";
import { count } from "../../lib/format";
import { Card } from "../../ui/Page";
import { Async } from "../../ui/states/states";
import { type Column, DataTable } from "../../ui/table/DataTable";
import styles from "./datasets.module.css";

const COLUMNS: readonly Column<Fault>[] = [
  { title: "Line", isNumber: true, cell: ({ line }) => count(line) },
  { title: "Column", cell: ({ column }) => <span className={styles.value}>{column}</span> },
  { title: "Value", cell: ({ raw }) => <code className={styles.value}>{raw}</code> },
  { title: "Why not", cell: ({ reason }) => reason },
  { title: "What fits", cell: ({ expected }) => expected },
];

/** Values that did not fit, by line and column, with what would be right. */
export function Faults({ datasetId, load }: { datasetId: string; load: DatasetLoad }) {
  const answer = useQuery(faultsQuery(datasetId, load.loadId));
  const all = useMutation({
    mutationFn: () => addressOfFaults(datasetId),
    onSuccess: (address) => location.assign(address),
  });
  return (
    <Card
      title="What did not fit"
      note={
        <button type="button" className="button" disabled={all.isPending} onClick={() => all.mutate()}>
          Download all faults
        </button>
      }
    >
      <p>
        {count(load.rejected ?? 0)} rows of {load.fileName} were rejected; the {count(load.loaded ?? 0)} that
        fit are kept. Correct the rows in your file, and replace it.
      </p>
      {all.error && <p role="alert">Not downloaded: {all.error.message}</p>}
      <Async answer={answer} height={240}>
        {({ data: { errors } }) => (
          <DataTable
            caption="The first faults, by line"
            rows={errors}
            keyOf={({ line, column }) => `${line} ${column}`}
            columns={COLUMNS}
          />
        )}
      </Async>
    </Card>
  );
}
