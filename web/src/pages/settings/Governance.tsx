import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import {
  changeGovernance,
  governanceQuery,
  type MetricGovernance,
  type MetricName,
} from "../../api/governance";
import type { Role } from "../../api/organization";
import { count, MISSING, words } from "../../lib/format";
import dialog from "../../ui/dialog.module.css";
import { FormDialog } from "../../ui/FormDialog";
import { Card } from "../../ui/Page";
import { Async } from "../../ui/states/states";
import { DataTable } from "../../ui/table/DataTable";

const ROLES: readonly Role[] = ["admin", "editor", "viewer"];
const NAMES: Record<string, string> = { mrr: "MRR", summary: "Summary of orders" };
const nameOf = (metric: string) => NAMES[metric] ?? words(metric);
const list = (roles: readonly string[], none: string) =>
  roles.length ? roles.map((role) => `${words(role)}s`).join(", ") : none;

function rulesOf({ smallestGroup, customersHiddenFrom }: MetricGovernance): string {
  const rules = [
    smallestGroup && `groups below ${count(smallestGroup)} are withheld`,
    customersHiddenFrom.length && `customers hidden from ${list(customersHiddenFrom, "").toLowerCase()}`,
  ].filter(Boolean);
  return rules.length ? words(rules.join("; ")) : MISSING;
}

/** Who reads which metric, and what is held back from whom. */
export function Governance() {
  const answer = useQuery(governanceQuery);
  const [changing, setChanging] = useState<MetricGovernance>();
  return (
    <Card title="Who sees which metric">
      <Async answer={answer} height={320}>
        {({ data: { metrics } }) => (
          <DataTable
            caption="Who sees which metric"
            rows={metrics}
            keyOf={({ metric }) => metric}
            fileName="governance.csv"
            columns={[
              { title: "Metric", cell: ({ metric }) => nameOf(metric), csv: ({ metric }) => metric },
              {
                title: "Visible to",
                cell: ({ visibleTo }) => list(visibleTo, "Nobody"),
                csv: ({ visibleTo }) => visibleTo.join(" "),
              },
              {
                title: "Rules",
                isWide: true,
                cell: rulesOf,
                csv: rulesOf,
              },
              {
                title: "Reads recorded",
                isWide: true,
                cell: ({ audited }) => (audited ? "Yes" : "No"),
                csv: ({ audited }) => String(audited),
              },
              {
                title: "Actions",
                isNumber: true,
                cell: (row) => (
                  <button
                    type="button"
                    className="button quiet"
                    aria-label={`Change who sees ${nameOf(row.metric)}`}
                    onClick={() => setChanging(row)}
                  >
                    Change…
                  </button>
                ),
              },
            ]}
          />
        )}
      </Async>
      {changing && <ChangeDialog before={changing} close={() => setChanging(undefined)} />}
    </Card>
  );
}

function ChangeDialog({ before, close }: { before: MetricGovernance; close: () => void }) {
  const queries = useQueryClient();
  const { metric } = before;
  const [visibleTo, setVisibleTo] = useState(before.visibleTo as readonly Role[]);
  const [hiddenFrom, setHiddenFrom] = useState(before.customersHiddenFrom as readonly Role[]);
  const [audited, setAudited] = useState(before.audited);
  const [smallest, setSmallest] = useState(String(before.smallestGroup ?? ""));
  const request = useMutation({
    mutationFn: () =>
      changeGovernance(metric as MetricName, {
        visibleTo: [...visibleTo],
        audited,
        ...(metric === "cohorts" && { smallestGroup: smallest ? Number(smallest) : null }),
        ...(metric === "orders" && { customersHiddenFrom: [...hiddenFrom] }),
      }),
    onSuccess: async () => {
      close();
      // What was withheld, or is now, stands in every answer.
      await queries.invalidateQueries();
    },
  });
  return (
    <FormDialog
      title={`Who sees ${nameOf(metric)}?`}
      action="Change"
      keep="Leave as it is"
      request={request}
      close={close}
    >
      <Roles legend="Visible to" chosen={visibleTo} change={setVisibleTo} />
      {metric === "orders" && (
        <Roles legend="Customers are hidden from" chosen={hiddenFrom} change={setHiddenFrom} />
      )}
      {metric === "cohorts" && (
        <label className="field">
          Smallest group that is shown (empty: any)
          <input
            type="number"
            min={1}
            max={1000}
            value={smallest}
            onChange={(event) => setSmallest(event.target.value)}
          />
        </label>
      )}
      <label className="check">
        <input type="checkbox" checked={audited} onChange={(event) => setAudited(event.target.checked)} />
        <span>Record who reads it</span>
      </label>
      <p className="muted">The change itself is recorded, with your name and what was before.</p>
    </FormDialog>
  );
}

interface RolesProps {
  legend: string;
  chosen: readonly Role[];
  change: (roles: readonly Role[]) => void;
}

function Roles({ legend, chosen, change }: RolesProps) {
  return (
    <fieldset className={dialog.choices}>
      <legend>{legend}</legend>
      {ROLES.map((role) => (
        <label key={role} className="check">
          <input
            type="checkbox"
            checked={chosen.includes(role)}
            onChange={({ target }) =>
              change(target.checked ? [...chosen, role] : chosen.filter((each) => each !== role))
            }
          />
          <span>{words(role)}s</span>
        </label>
      ))}
    </fieldset>
  );
}
