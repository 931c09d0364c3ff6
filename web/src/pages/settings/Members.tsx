import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { changeRole, type Member, membersQuery, type Role, removeMember } from "../../api/organization";
import { isAdmin, type Me } from "../../api/session";
import { moment, words } from "../../lib/format";
import { FormDialog } from "../../ui/FormDialog";
import { Card } from "../../ui/Page";
import { Async } from "../../ui/states/states";
import { DataTable } from "../../ui/table/DataTable";
import { RoleSelect } from "./RoleSelect";

export function Members({ me }: { me: Me }) {
  const answer = useQuery(membersQuery);
  const queries = useQueryClient();
  const [removing, setRemoving] = useState<Member>();
  const change = useMutation({
    mutationFn: ({ userId, role }: { userId: string; role: Role }) => changeRole(userId, role),
    onSettled: () => queries.invalidateQueries({ queryKey: ["members"] }),
  });
  const remove = useMutation({
    mutationFn: (member: Member) => removeMember(member.userId),
    onSuccess: async () => {
      setRemoving(undefined);
      await queries.invalidateQueries({ queryKey: ["members"] });
    },
  });
  const mayEdit = isAdmin(me);
  return (
    <Card title="Members">
      {change.error && <p role="alert">Role not changed: {change.error.message}</p>}
      <Async answer={answer} height={240}>
        {({ data: { members } }) => (
          <DataTable
            caption="Members of the organisation"
            rows={members}
            keyOf={(member) => member.userId}
            fileName="members.csv"
            columns={[
              {
                title: "Member",
                cell: ({ email, userId }) => (
                  <>
                    {email}
                    {userId === me.userId && <span className="muted"> (you)</span>}
                  </>
                ),
                csv: (member) => member.email,
              },
              {
                title: "Role",
                cell: (member) =>
                  mayEdit ? (
                    <RoleSelect
                      label={`Role of ${member.email}`}
                      value={member.role as Role}
                      isDisabled={change.isPending}
                      change={(role) => change.mutate({ userId: member.userId, role })}
                    />
                  ) : (
                    words(member.role)
                  ),
                csv: (member) => member.role,
              },
              {
                title: "Member since (UTC)",
                isWide: true,
                cell: (member) => moment(member.addedAt),
                csv: (member) => member.addedAt,
              },
              ...(mayEdit
                ? [
                    {
                      title: "Actions",
                      isNumber: true,
                      cell: (member: Member) => (
                        <button
                          type="button"
                          className="button quiet"
                          aria-label={`Remove ${member.email}`}
                          onClick={() => setRemoving(member)}
                        >
                          Remove…
                        </button>
                      ),
                    },
                  ]
                : []),
            ]}
          />
        )}
      </Async>
      {removing && (
        <FormDialog
          title={`Remove ${removing.email}?`}
          action="Remove member"
          keep="Keep member"
          isDangerous
          request={{ ...remove, mutate: () => remove.mutate(removing) }}
          close={() => setRemoving(undefined)}
        >
          <p>
            Writes end at once, reads within five minutes, when the sign-in is next renewed. An invitation
            brings the member back.
          </p>
        </FormDialog>
      )}
    </Card>
  );
}
