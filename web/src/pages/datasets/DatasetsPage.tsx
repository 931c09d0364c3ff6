import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { type Dataset, datasetsQuery } from "../../api/datasets";
import { mayWrite, meQuery } from "../../api/session";
import { LOAD_WORDS } from "../../lib/datasets";
import { count, MISSING } from "../../lib/format";
import { Card, Page } from "../../ui/Page";
import { StatusPill } from "../../ui/stat/StatusPill";
import { Async, Empty } from "../../ui/states/states";
import { DataTable } from "../../ui/table/DataTable";
import { DatasetCards } from "./DatasetCards";
import { NewDataset } from "./Upload";

export function DatasetsPage() {
  const { dataset: chosen } = useSearch({ from: "/console/datasets" });
  const navigate = useNavigate();
  const answer = useQuery(datasetsQuery);
  const { data: me } = useQuery(meQuery);
  const mayChange = mayWrite(me);
  const open = (id?: string) => void navigate({ to: "/datasets", search: id ? { dataset: id } : {} });
  return (
    <Page
      title="Datasets"
      lead="Files of your own, such as sales of a shop, visits or spend. Each row fits, or is named with what would fit."
    >
      {chosen ? (
        <DatasetCards key={chosen} datasetId={chosen} mayChange={mayChange} closed={() => open()} />
      ) : (
        mayChange && <NewDataset added={open} />
      )}
      <Card title="All datasets">
        <Async answer={answer} height={240}>
          {({ data: { datasets } }) => <Datasets datasets={datasets} mayChange={mayChange} />}
        </Async>
        {chosen && mayChange && (
          <p>
            <Link to="/datasets">Add another dataset</Link>
          </p>
        )}
      </Card>
    </Page>
  );
}

function Datasets({ datasets, mayChange }: { datasets: readonly Dataset[]; mayChange: boolean }) {
  if (datasets.length === 0) {
    return (
      <Empty title="No dataset yet">
        <p>{mayChange ? "Choose a file above." : "Ask an editor of your organisation to add one."}</p>
      </Empty>
    );
  }
  return (
    <DataTable
      caption="Datasets of the organisation"
      rows={datasets}
      keyOf={({ id }) => id}
      columns={[
        {
          title: "Name",
          cell: ({ id, name }) => (
            <Link to="/datasets" search={{ dataset: id }}>
              {name}
            </Link>
          ),
        },
        {
          title: "Last file",
          cell: ({ loads: [last] }) => (last ? <StatusPill status={last.state} of={LOAD_WORDS} /> : MISSING),
        },
        { title: "Rows", isNumber: true, cell: ({ rows }) => count(rows) },
        {
          title: "Rejected",
          isNumber: true,
          cell: ({ loads: [last] }) => (last?.rejected == null ? MISSING : count(last.rejected)),
        },
        {
          title: "Days (UTC)",
          isWide: true,
          cell: ({ firstAt, lastAt }) =>
            firstAt && lastAt ? `${firstAt.slice(0, 10)} to ${lastAt.slice(0, 10)}` : MISSING,
        },
      ]}
    />
  );
}
