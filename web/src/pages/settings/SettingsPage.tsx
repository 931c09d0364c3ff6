import { useMutation, useQuery } from "@tanstack/react-query";
import { chooseOrganization } from "../../api/organization";
import { isAdmin, type Me, meQuery, startAgain } from "../../api/session";
import { words } from "../../lib/format";
import { Card, Facts, Page } from "../../ui/Page";
import { Async } from "../../ui/states/states";
import { Governance } from "./Governance";
import { Invitations } from "./Invitations";
import { Machines } from "./Machines";
import { Members } from "./Members";

export function SettingsPage() {
  const answer = useQuery(meQuery);
  return (
    <Page title="Settings" lead="Your organisation: its people, and the machines that act for it.">
      <Async answer={answer} height={560}>
        {(me) => (
          <>
            <Organization me={me} />
            <Members me={me} />
            {isAdmin(me) && (
              <>
                <Invitations />
                <Machines />
                <Governance />
              </>
            )}
          </>
        )}
      </Async>
    </Page>
  );
}

const MAY: Record<string, string> = {
  viewer: "read what the organisation shows to viewers",
  editor: "also place, cancel and refund orders, and adjust stock",
  admin: "everything, also members, machines and who sees which metric",
};

function Organization({ me }: { me: Me }) {
  const { current } = me;
  return (
    <Card title="You">
      <Facts
        of={[
          ["Signed in as", me.email ?? me.userId],
          [
            "Organisation",
            me.memberships.length > 1 ? <Switch key="switch" me={me} /> : current?.organization,
          ],
          ["Role", current ? `${words(current.role)}: ${MAY[current.role] ?? ""}` : "None"],
          ["Time zone", "UTC: every day and month begins and ends there"],
        ]}
      />
    </Card>
  );
}

/** Another organisation is another set of answers: the console starts again with a new token. */
function Switch({ me }: { me: Me }) {
  const change = useMutation({
    mutationFn: chooseOrganization,
    onSuccess: () => startAgain("/"),
  });
  return (
    <>
      <select
        className="select"
        aria-label="Work for"
        value={me.current?.tenantId ?? ""}
        disabled={change.isPending}
        onChange={(event) => change.mutate(event.target.value)}
      >
        {me.memberships.map(({ tenantId, organization, role }) => (
          <option key={tenantId} value={tenantId}>
            {organization} ({role})
          </option>
        ))}
      </select>
      {change.error && <p role="alert">Not changed: {change.error.message}</p>}
    </>
  );
}
