import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { acceptInvitation } from "../../api/organization";
import { ApiProblem } from "../../api/problem";
import { meQuery, startAgain } from "../../api/session";
import { FormFrame } from "../../ui/FormFrame";
import { SignInLinks } from "../../ui/SignInLinks";

const KEPT = "invitation";

/** The token leaves the address at once, and waits in this tab while its owner signs in. */
function takeToken(): string {
  const token = location.hash.slice(1);
  if (token) {
    sessionStorage.setItem(KEPT, token);
    history.replaceState(history.state, "", location.pathname);
  }
  return token || (sessionStorage.getItem(KEPT) ?? "");
}

export function InvitationPage() {
  const [token, setToken] = useState(takeToken);
  const me = useQuery(meQuery);
  const request = useMutation({
    mutationFn: () => acceptInvitation(token.trim()),
    onSuccess: async () => {
      sessionStorage.removeItem(KEPT);
      await startAgain("/");
    },
  });
  if (me.error instanceof ApiProblem && me.error.status === 401) {
    return (
      <FormFrame
        title="You are invited to PulseQueue"
        lead="Sign in with the e-mail address that was invited."
      >
        <SignInLinks next="/invitation" />
      </FormFrame>
    );
  }
  return (
    <FormFrame
      title="Accept an invitation"
      lead={me.data && `Signed in as ${me.data.email ?? me.data.userId}.`}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          request.mutate();
        }}
      >
        <label className="field">
          Code of the invitation
          <input required value={token} onChange={(event) => setToken(event.target.value)} />
        </label>
        {request.error && (
          <p role="alert">
            <strong>Not accepted.</strong> {request.error.message}
          </p>
        )}
        <button type="submit" className="button primary" disabled={request.isPending}>
          {request.isPending ? "Joining…" : "Join the organisation"}
        </button>
      </form>
    </FormFrame>
  );
}
