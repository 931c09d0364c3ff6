import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import {
  addressOfRows,
  type DatasetDetails,
  type DatasetLoad,
  datasetQuery,
  removeDataset,
} from "../../api/datasets";
import { LOAD_WORDS, understood } from "../../lib/datasets";
import { count, MISSING, moment, share } from "../../lib/format";
import { FormDialog } from "../../ui/FormDialog";
import layout from "../../ui/layout.module.css";
import { Card, Facts } from "../../ui/Page";
import { StatusPill } from "../../ui/stat/StatusPill";
import { Async } from "../../ui/states/states";
import styles from "./datasets.module.css";
import { Faults } from "./Faults";
import { Proposal } from "./Proposal";
import { ReplaceFile } from "./Upload";

interface DatasetCardsProps {
  datasetId: string;
  mayChange: boolean;
  closed: () => void;
}

/** One dataset: how far its last file is, what waits for a decision, and what did not fit. */
export function DatasetCards({ datasetId, mayChange, closed }: DatasetCardsProps) {
  const answer = useQuery(datasetQuery(datasetId));
  const [isReplacing, setIsReplacing] = useState(false);
  return (
    <Async answer={answer} height={280}>
      {({ data: dataset }) => {
        const [last] = dataset.loads;
        const judged = dataset.loads.find(({ rejected }) => rejected !== null);
        return (
          <>
            <Card title={dataset.name} note={last && <StatusPill status={last.state} of={LOAD_WORDS} />}>
              {last && <Progress load={last} />}
              <div className={styles.stack}>
                <DatasetFacts dataset={dataset} />
                <Actions
                  dataset={dataset}
                  mayChange={mayChange}
                  replace={() => setIsReplacing(true)}
                  closed={closed}
                />
              </div>
            </Card>
            {dataset.proposal && last && (
              <Proposal
                key={last.loadId}
                datasetId={datasetId}
                loadId={last.loadId}
                proposal={dataset.proposal}
                mayChange={mayChange}
              />
            )}
            {isReplacing && <ReplaceFile datasetId={datasetId} sent={() => setIsReplacing(false)} />}
            {judged?.rejected ? <Faults datasetId={datasetId} load={judged} /> : null}
          </>
        );
      }}
    </Async>
  );
}

/** The way of a file: it was sent, and it is being understood. */
function Progress({ load }: { load: DatasetLoad }) {
  const done = understood(load);
  const { meaning } = LOAD_WORDS[load.state];
  const isMoving = load.state === "uploaded" || load.state === "loading";
  return (
    <div className={styles.status} role="status">
      {(isMoving || done === 1) && (
        <label className={styles.progress}>
          <span>Understood: {done === undefined ? "the file is being read" : share(done)}</span>
          <progress {...(done !== undefined && { value: done })} max={1} />
        </label>
      )}
      <p>
        <strong>{load.fileName}</strong>: {meaning}
        {load.reason && ` Reason: ${load.reason}.`}
      </p>
      {load.records !== null && (
        <p>
          {count(load.records)} records: {count(load.loaded ?? 0)} fit, {count(load.rejected ?? 0)} rejected.
        </p>
      )}
    </div>
  );
}

function DatasetFacts({ dataset }: { dataset: DatasetDetails }) {
  const { firstAt, lastAt } = dataset;
  return (
    <Facts
      of={[
        ["Rows", count(dataset.rows)],
        ["Numbers", dataset.kpis.join(", ") || MISSING],
        ["Divided by", dataset.dimensions.join(", ") || MISSING],
        ["Days (UTC)", firstAt && lastAt ? `${firstAt.slice(0, 10)} to ${lastAt.slice(0, 10)}` : MISSING],
        ["Added (UTC)", moment(dataset.createdAt)],
        ["Id", <code key="id">{dataset.id}</code>],
      ]}
    />
  );
}

interface ActionsProps {
  dataset: DatasetDetails;
  mayChange: boolean;
  replace: () => void;
  closed: () => void;
}

function Actions({ dataset, mayChange, replace, closed }: ActionsProps) {
  const [isRemoving, setIsRemoving] = useState(false);
  const rows = useMutation({
    mutationFn: () => addressOfRows(dataset.id),
    onSuccess: (address) => location.assign(address),
  });
  return (
    <>
      <div className={layout.actions}>
        <button
          type="button"
          className="button"
          disabled={dataset.rows === 0 || rows.isPending}
          onClick={() => rows.mutate()}
        >
          Download rows (Parquet)
        </button>
        {mayChange && (
          <>
            <button type="button" className="button" onClick={replace}>
              Replace…
            </button>
            <button type="button" className="button" onClick={() => setIsRemoving(true)}>
              Delete…
            </button>
          </>
        )}
      </div>
      {rows.error && <p role="alert">Not downloaded: {rows.error.message}</p>}
      {isRemoving && <RemoveDialog dataset={dataset} close={() => setIsRemoving(false)} removed={closed} />}
    </>
  );
}

interface RemoveDialogProps {
  dataset: DatasetDetails;
  close: () => void;
  removed: () => void;
}

function RemoveDialog({ dataset, close, removed }: RemoveDialogProps) {
  const queries = useQueryClient();
  const request = useMutation({
    mutationFn: () => removeDataset(dataset.id),
    onSuccess: async () => {
      close();
      removed();
      await queries.invalidateQueries({ queryKey: ["datasets"], exact: true });
    },
  });
  return (
    <FormDialog
      title="Delete the dataset?"
      action="Delete dataset"
      keep="Keep dataset"
      isDangerous
      request={request}
      close={close}
    >
      <p>
        <strong>{dataset.name}</strong> is deleted with its {count(dataset.rows)} rows and its files. This
        cannot be undone.
      </p>
    </FormDialog>
  );
}
