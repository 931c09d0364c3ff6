import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { foundOrganization } from "../../api/organization";
import { startAgain } from "../../api/session";
import { Card, Filters, Page } from "../Page";
import { Empty } from "../states/states";

/** Signed in, and a member of nothing yet. */
export default function NoOrganization() {
  const [name, setName] = useState("");
  const found = useMutation({
    mutationFn: () => foundOrganization(name.trim()),
    onSuccess: () => startAgain("/"),
  });
  return (
    <Page title="No access yet">
      <Empty title="You are a member of no organisation">
        <p>
          Ask an administrator of your organisation for an invitation. You have a code already?{" "}
          <Link to="/invitation">Accept the invitation</Link>.
        </p>
      </Empty>
      <Card title="Or found an organisation">
        <Filters label="Found an organisation" submit={() => found.mutate()}>
          <label className="field">
            Name
            <input required maxLength={256} value={name} onChange={(event) => setName(event.target.value)} />
          </label>
          <button type="submit" className="button" disabled={found.isPending}>
            Found it
          </button>
        </Filters>
        {found.error && (
          <p role="alert">
            <strong>Not founded.</strong> {found.error.message}
          </p>
        )}
      </Card>
    </Page>
  );
}
