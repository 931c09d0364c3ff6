import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { confirmLoad, type DatasetColumn, type DatasetProposal } from "../../api/datasets";
import {
  answersOf,
  type Choice,
  type Choices,
  type ColumnType,
  isOpen,
  readings,
  TYPES,
  timesOf,
  typeOf,
} from "../../lib/datasets";
import { MISSING, words } from "../../lib/format";
import layout from "../../ui/layout.module.css";
import { Card } from "../../ui/Page";
import { DataTable } from "../../ui/table/DataTable";
import styles from "./datasets.module.css";

interface ProposalProps {
  datasetId: string;
  loadId: number;
  proposal: DatasetProposal;
  mayChange: boolean;
}

/** What was guessed of a file, and why; nothing is loaded until somebody agrees. */
export function Proposal({ datasetId, loadId, proposal, mayChange }: ProposalProps) {
  const queries = useQueryClient();
  const [choices, setChoices] = useState<Choices>({});
  const [time, setTime] = useState(proposal.time);
  const change = (name: string, choice: Choice) =>
    setChoices((now) => ({ ...now, [name]: { ...now[name], ...choice } }));
  const open = proposal.columns.filter((column) => isOpen(column, choices));
  const times = timesOf(proposal, choices);
  const load = useMutation({
    mutationFn: () => confirmLoad(datasetId, loadId, answersOf(proposal, choices, time)),
    onSettled: () => queries.invalidateQueries({ queryKey: ["datasets"] }),
  });
  return (
    <Card title="How the file is read">
      <form
        className={styles.stack}
        onSubmit={(event) => {
          event.preventDefault();
          if (!load.isPending) load.mutate();
        }}
      >
        <DataTable
          caption="The file, as it was guessed"
          rows={proposal.guesses}
          keyOf={({ subject }) => subject}
          columns={[
            { title: "What", cell: ({ subject }) => words(subject) },
            { title: "Guess", cell: ({ value }) => <code className={styles.value}>{value}</code> },
            { title: "Because", cell: ({ reason }) => reason },
          ]}
        />
        <DataTable
          caption="The columns, as they were guessed"
          rows={proposal.columns}
          keyOf={({ name }) => name}
          columns={[
            { title: "Column", cell: ({ name }) => <span className={styles.value}>{name}</span> },
            {
              title: "Type",
              cell: (column) => (
                <TypeChoice column={column} choices={choices} change={change} mayChange={mayChange} />
              ),
            },
            {
              title: "Written as",
              cell: (column) => (
                <ReadingChoice column={column} choices={choices} change={change} mayChange={mayChange} />
              ),
            },
            { title: "Because", cell: ({ reason }) => reason },
          ]}
        />
        {times.length > 0 && (
          <label className="field">
            When each row was
            <select
              value={time !== null && times.includes(time) ? time : times[0]}
              disabled={!mayChange}
              onChange={(event) => setTime(event.target.value)}
            >
              {times.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </label>
        )}
        <Sample proposal={proposal} />
        {load.error && <p role="alert">Not loaded: {load.error.message}</p>}
        {mayChange ? (
          <div className={layout.actions}>
            <button
              type="submit"
              className="button primary"
              disabled={open.length > 0 || load.isPending || load.isSuccess}
            >
              Load it like this
            </button>
            {open.length > 0 && (
              <span role="status">
                Can be read in two ways; choose how they are written:{" "}
                {open.map(({ name }) => name).join(", ")}
              </span>
            )}
          </div>
        ) : (
          <p className="muted">An editor of your organisation decides.</p>
        )}
      </form>
    </Card>
  );
}

interface ChoiceProps {
  column: DatasetColumn;
  choices: Choices;
  change: (name: string, choice: Choice) => void;
  mayChange: boolean;
}

function TypeChoice({ column, choices, change, mayChange }: ChoiceProps) {
  const type = typeOf(column, choices) as ColumnType;
  return (
    <select
      className="select"
      aria-label={`Type of ${column.name}`}
      value={type}
      disabled={!mayChange}
      onChange={(event) => change(column.name, { type: event.target.value as ColumnType, reading: "" })}
    >
      {Object.entries(TYPES).map(([value, name]) => (
        <option key={value} value={value}>
          {name}
        </option>
      ))}
    </select>
  );
}

/** Only where the values leave it open, or somebody chose another type. */
function ReadingChoice({ column, choices, change, mayChange }: ChoiceProps) {
  const type = typeOf(column, choices);
  const ways = readings(type);
  if (!ways || (type === column.type && column.question === null)) return MISSING;
  return (
    <select
      className="select"
      aria-label={`How ${column.name} is written`}
      value={choices[column.name]?.reading ?? ""}
      disabled={!mayChange}
      onChange={(event) => change(column.name, { reading: event.target.value })}
    >
      <option value="">Choose…</option>
      {Object.entries(ways).map(([value, example]) => (
        <option key={value} value={value}>
          {example}
        </option>
      ))}
    </select>
  );
}

function Sample({ proposal: { columns, sample } }: { proposal: DatasetProposal }) {
  return (
    <details>
      <summary>First rows of the file</summary>
      <DataTable
        caption="First rows of the file"
        rows={sample.map((cells, index) => ({ cells, line: index + 1 }))}
        keyOf={({ line }) => String(line)}
        columns={[
          { title: "Row", isNumber: true, cell: ({ line }) => line },
          ...columns.map(({ name }, index) => ({
            title: name,
            cell: ({ cells }: { cells: readonly (string | null)[] }) => (
              <span className={styles.value}>{cells[index] ?? MISSING}</span>
            ),
          })),
        ]}
      />
    </details>
  );
}
