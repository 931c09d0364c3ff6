import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type DragEvent, type ReactNode, useEffect, useState } from "react";
import { addDataset, replaceFile, sendFile } from "../../api/datasets";
import type { Schemas } from "../../api/queries";
import { nameOfFile, whyNot } from "../../lib/datasets";
import { share } from "../../lib/format";
import layout from "../../ui/layout.module.css";
import { Card } from "../../ui/Page";
import styles from "./datasets.module.css";

interface UploadProps {
  action: string;
  chosen: (file: File) => void;
  /** Numbers the load, and returns the form for its file. */
  begin: (file: File) => Promise<Schemas["UploadFormView"]>;
  sent: (datasetId: string) => void;
  children?: ReactNode;
}

/** Choose or drop a file, and send it. */
function Upload({ action, chosen, begin, sent, children }: UploadProps) {
  const queries = useQueryClient();
  const [file, setFile] = useState<File>();
  const [progress, setProgress] = useState(0);
  const [isOver, setIsOver] = useState(false);
  const upload = useMutation({
    mutationFn: async (it: File) => {
      setProgress(0);
      const form = await begin(it);
      await sendFile(form, it, setProgress);
      return form.datasetId;
    },
    onSuccess: (datasetId) => {
      setFile(undefined);
      sent(datasetId);
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ["datasets"] }),
  });
  useWarningOnLeaving(upload.isPending);
  const choose = (it: File | undefined) => {
    if (!it || upload.isPending) return;
    upload.reset();
    setFile(it);
    chosen(it);
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setIsOver(false);
    choose(event.dataTransfer.files[0]);
  };
  const fault = file && whyNot(file, Number.POSITIVE_INFINITY);
  return (
    <form
      className={styles.stack}
      onSubmit={(event) => {
        event.preventDefault();
        if (file && !fault && !upload.isPending) upload.mutate(file);
      }}
    >
      {/* biome-ignore lint/a11y/noStaticElementInteractions: dropping is one more way; the field within is for keys */}
      <div
        className={styles.drop}
        data-over={isOver}
        onDragOver={(event) => {
          event.preventDefault();
          setIsOver(true);
        }}
        onDragLeave={() => setIsOver(false)}
        onDrop={drop}
      >
        <label className="field">
          Choose a file, or drop it here
          <input
            type="file"
            accept=".csv,.tsv,.txt,text/csv,text/plain"
            disabled={upload.isPending}
            onChange={(event) => choose(event.target.files?.[0])}
          />
          <span className="help">Text with a row a line, such as CSV, up to 512 MB.</span>
        </label>
        {file && (
          <p>
            Chosen: <strong>{file.name}</strong>
          </p>
        )}
      </div>
      {file && children}
      {(fault || upload.error) && <p role="alert">Not sent: {fault ?? upload.error?.message}</p>}
      {upload.isPending && (
        <label className={styles.progress}>
          <span>Sent: {share(progress)}</span>
          <progress value={progress} max={1} />
        </label>
      )}
      {file && (
        <div className={layout.actions}>
          <button type="submit" className="button primary" disabled={upload.isPending || fault !== undefined}>
            {upload.isPending ? "Sending…" : action}
          </button>
        </div>
      )}
    </form>
  );
}

/** A file that is being sent is lost when the page goes. */
function useWarningOnLeaving(isSending: boolean): void {
  useEffect(() => {
    if (!isSending) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener("beforeunload", warn);
    return () => removeEventListener("beforeunload", warn);
  }, [isSending]);
}

export function NewDataset({ added }: { added: (datasetId: string) => void }) {
  const [name, setName] = useState("");
  return (
    <Card title="Add a dataset">
      <Upload
        action="Upload"
        chosen={(file) => setName(nameOfFile(file.name))}
        begin={(file) => addDataset(name.trim(), file.name)}
        sent={added}
      >
        <label className="field">
          Name of the dataset
          <input
            required
            pattern=".*\S.*"
            maxLength={256}
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        </label>
      </Upload>
    </Card>
  );
}

export function ReplaceFile({ datasetId, sent }: { datasetId: string; sent: () => void }) {
  return (
    <Card title="Replace the rows">
      <Upload
        action="Replace rows"
        chosen={() => undefined}
        begin={(file) => replaceFile(datasetId, file.name)}
        sent={sent}
      >
        <p className="muted">
          The file needs the same header, and is read as the one before. The rows that are there stay until
          the new ones are complete.
        </p>
      </Upload>
    </Card>
  );
}
