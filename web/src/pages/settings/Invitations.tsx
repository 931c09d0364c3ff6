import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import {
  type Invitation,
  invitationsQuery,
  invite,
  type Role,
  withdrawInvitation,
} from "../../api/organization";
import { moment, words } from "../../lib/format";
import { FormDialog } from "../../ui/FormDialog";
import { Card } from "../../ui/Page";
import { ShownOnce } from "../../ui/ShownOnce";
import { Async, Empty } from "../../ui/states/states";
import { DataTable } from "../../ui/table/DataTable";
import { RoleSelect } from "./RoleSelect";

/** The token stands behind `#`, which a browser sends to no server. */
function linkOf(token: string): string {
  return `${location.origin}/invitation#${token}`;
}

export function Invitations() {
  const answer = useQuery(invitationsQuery);
  const queries = useQueryClient();
  const [isInviting, setIsInviting] = useState(false);
  const [link, setLink] = useState<string>();
  const withdraw = useMutation({
    mutationFn: (invitation: Invitation) => withdrawInvitation(invitation.id),
    onSettled: () => queries.invalidateQueries({ queryKey: ["invitations"] }),
  });
  return (
    <Card
      title="Invitations"
      note={
        <button type="button" className="button primary" onClick={() => setIsInviting(true)}>
          Invite…
        </button>
      }
    >
      {withdraw.error && <p role="alert">Not withdrawn: {withdraw.error.message}</p>}
      <Async answer={answer} height={160}>
        {({ data: { invitations } }) =>
          invitations.length === 0 ? (
            <Empty title="No open invitations">
              <p>Invite someone: they get a link that works once, for seven days.</p>
            </Empty>
          ) : (
            <DataTable
              caption="Open invitations"
              rows={invitations}
              keyOf={(invitation) => invitation.id}
              columns={[
                { title: "For", cell: (invitation) => invitation.email },
                { title: "Role", cell: (invitation) => words(invitation.role) },
                { title: "Ends (UTC)", isWide: true, cell: (invitation) => moment(invitation.expiresAt) },
                {
                  title: "Actions",
                  isNumber: true,
                  cell: (invitation) => (
                    <button
                      type="button"
                      className="button quiet"
                      aria-label={`Withdraw the invitation for ${invitation.email}`}
                      disabled={withdraw.isPending}
                      onClick={() => withdraw.mutate(invitation)}
                    >
                      Withdraw
                    </button>
                  ),
                },
              ]}
            />
          )
        }
      </Async>
      {isInviting && <InviteDialog close={() => setIsInviting(false)} invited={setLink} />}
      {link && (
        <ShownOnce
          title="Invitation link"
          explanation="Send this link to the person; it is shown once, works once, and holds for seven days. They need an account with the invited e-mail address."
          values={[{ name: "Link", value: link }]}
          close={() => setLink(undefined)}
        />
      )}
    </Card>
  );
}

function InviteDialog({ close, invited }: { close: () => void; invited: (link: string) => void }) {
  const queries = useQueryClient();
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const request = useMutation({
    mutationFn: () => invite(email.trim(), role),
    onSuccess: async ({ token }) => {
      close();
      invited(linkOf(token));
      await queries.invalidateQueries({ queryKey: ["invitations"] });
    },
  });
  return (
    <FormDialog
      title="Invite someone"
      action="Create invitation"
      keep="Close"
      request={request}
      close={close}
    >
      <label className="field">
        E-mail address
        <input
          type="email"
          required
          autoComplete="off"
          value={email}
          onChange={(event) => setEmail(event.target.value)}
        />
      </label>
      <div className="field">
        <span aria-hidden="true">Role</span>
        <RoleSelect label="Role" value={role} change={setRole} />
      </div>
    </FormDialog>
  );
}
