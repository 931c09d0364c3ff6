import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import {
  createMachine,
  type Machine,
  machinesQuery,
  removeMachine,
  type Scope,
} from "../../api/organization";
import type { Schemas } from "../../api/queries";
import { moment } from "../../lib/format";
import dialog from "../../ui/dialog.module.css";
import { FormDialog } from "../../ui/FormDialog";
import { Card } from "../../ui/Page";
import { ShownOnce } from "../../ui/ShownOnce";
import { Async, Empty } from "../../ui/states/states";
import { DataTable } from "../../ui/table/DataTable";

const SCOPES: Record<Scope, string> = {
  "orders:read": "read orders",
  "orders:write": "place, cancel and refund orders",
  "inventory:write": "adjust stock",
  "events:write": "publish events of subscriptions",
  "metrics:read": "read revenue, sales and cohorts",
};

export function Machines() {
  const answer = useQuery(machinesQuery);
  const queries = useQueryClient();
  const [isCreating, setIsCreating] = useState(false);
  const [created, setCreated] = useState<Schemas["CreatedMachine"]>();
  const [removing, setRemoving] = useState<Machine>();
  const remove = useMutation({
    mutationFn: (machine: Machine) => removeMachine(machine.clientId),
    onSuccess: async () => {
      setRemoving(undefined);
      await queries.invalidateQueries({ queryKey: ["machines"] });
    },
  });
  return (
    <Card
      title="API tokens for machines"
      note={
        <button type="button" className="button" onClick={() => setIsCreating(true)}>
          New token…
        </button>
      }
    >
      <Async answer={answer} height={160}>
        {({ data: { machines } }) =>
          machines.length === 0 ? (
            <Empty title="No machine acts for this organisation">
              <p>A shop or a script gets a token of its own, with the scopes that it needs and no more.</p>
            </Empty>
          ) : (
            <DataTable
              caption="Machine tokens"
              rows={machines}
              keyOf={(machine) => machine.clientId}
              columns={[
                { title: "Name", cell: (machine) => machine.name },
                { title: "Scopes", cell: (machine) => machine.scopes.join(", ") },
                { title: "Client id", isWide: true, cell: ({ clientId }) => <code>{clientId}</code> },
                { title: "Created (UTC)", isWide: true, cell: (machine) => moment(machine.createdAt) },
                {
                  title: "Actions",
                  isNumber: true,
                  cell: (machine) => (
                    <button
                      type="button"
                      className="button quiet"
                      aria-label={`Take away the token of ${machine.name}`}
                      onClick={() => setRemoving(machine)}
                    >
                      Take away…
                    </button>
                  ),
                },
              ]}
            />
          )
        }
      </Async>
      {isCreating && <CreateDialog close={() => setIsCreating(false)} created={setCreated} />}
      {created && (
        <ShownOnce
          title="Client id and secret"
          explanation="The secret is shown once, and nobody can read it again. Keep it where the machine keeps its secrets."
          values={[
            { name: "Client id", value: created.clientId },
            { name: "Secret", value: created.clientSecret },
          ]}
          close={() => setCreated(undefined)}
        />
      )}
      {removing && (
        <FormDialog
          title={`Take the token of ${removing.name} away?`}
          action="Take away"
          keep="Keep token"
          isDangerous
          request={{ ...remove, mutate: () => remove.mutate(removing) }}
          close={() => setRemoving(undefined)}
        >
          <p>Its writes end at once, and it gets no further tokens. This cannot be undone.</p>
        </FormDialog>
      )}
    </Card>
  );
}

interface CreateDialogProps {
  close: () => void;
  created: (machine: Schemas["CreatedMachine"]) => void;
}

function CreateDialog({ close, created }: CreateDialogProps) {
  const queries = useQueryClient();
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<readonly Scope[]>([]);
  const request = useMutation({
    mutationFn: async () => {
      if (scopes.length === 0) throw new Error("Choose at least one scope.");
      return await createMachine(name.trim(), [...scopes]);
    },
    onSuccess: async (machine) => {
      close();
      created(machine);
      await queries.invalidateQueries({ queryKey: ["machines"] });
    },
  });
  const toggle = (scope: Scope, isChosen: boolean) =>
    setScopes((before) => (isChosen ? [...before, scope] : before.filter((each) => each !== scope)));
  return (
    <FormDialog
      title="New token for a machine"
      action="Create token"
      keep="Close"
      request={request}
      close={close}
    >
      <label className="field">
        Name
        <input
          required
          maxLength={256}
          value={name}
          placeholder="Web shop"
          onChange={(event) => setName(event.target.value)}
        />
      </label>
      <fieldset className={dialog.choices}>
        <legend>It may</legend>
        {(Object.keys(SCOPES) as Scope[]).map((scope) => (
          <label key={scope} className="check">
            <input
              type="checkbox"
              checked={scopes.includes(scope)}
              onChange={(event) => toggle(scope, event.target.checked)}
            />
            <span>
              {SCOPES[scope]} <code>{scope}</code>
            </span>
          </label>
        ))}
      </fieldset>
    </FormDialog>
  );
}
