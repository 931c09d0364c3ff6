import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { isAdmin, meQuery } from "../../api/session";
import { addWebhook, type Webhook, webhooksQuery } from "../../api/webhooks";
import { NEW_WEBHOOK, stateOf, typesOf, WEBHOOK_WORDS } from "../../lib/webhooks";
import { Card, Page } from "../../ui/Page";
import { StatusPill } from "../../ui/stat/StatusPill";
import { Async, Empty } from "../../ui/states/states";
import { DataTable } from "../../ui/table/DataTable";
import { NewSecret, WebhookDetails } from "./WebhookDetails";
import { WebhookDialog } from "./WebhookDialog";

export function WebhooksPage() {
  const { webhook: chosenId } = useSearch({ from: "/console/hooks" });
  const navigate = useNavigate();
  const answer = useQuery(webhooksQuery);
  const { data: me } = useQuery(meQuery);
  const [isAdding, setIsAdding] = useState(false);
  const [secret, setSecret] = useState<string>();
  const mayChange = isAdmin(me);
  const chosen = answer.data?.data.webhooks.find(({ id }) => id === chosenId);
  const close = () => setIsAdding(false);
  return (
    <Page
      title="Webhooks"
      lead="Other systems hear of orders, payments, stock and subscriptions: a signed message is posted to their URL."
      actions={
        mayChange && (
          <button type="button" className="button primary" onClick={() => setIsAdding(true)}>
            Add webhook…
          </button>
        )
      }
    >
      <Card title="All webhooks">
        <Async answer={answer} height={240}>
          {({ data: { webhooks } }) => <Webhooks webhooks={webhooks} mayChange={mayChange} />}
        </Async>
      </Card>
      {chosen && (
        <WebhookDetails
          key={chosen.id}
          webhook={chosen}
          mayChange={mayChange}
          closed={() => void navigate({ to: "/hooks", search: {} })}
        />
      )}
      {chosenId && answer.data && !chosen && (
        <Card title="Webhook">
          <Empty title="Your organisation has no webhook with this id">
            <p>
              It was deleted, or belongs to another organisation. <Link to="/hooks">All webhooks</Link>
            </p>
          </Empty>
        </Card>
      )}
      {isAdding && (
        <WebhookDialog
          title="Add a webhook"
          action="Add webhook"
          before={NEW_WEBHOOK}
          send={addWebhook}
          done={(added) => {
            setSecret(added.secret);
            void navigate({ to: "/hooks", search: { webhook: added.id } });
          }}
          close={close}
        />
      )}
      {secret && <NewSecret secret={secret} close={() => setSecret(undefined)} />}
    </Page>
  );
}

function Webhooks({ webhooks, mayChange }: { webhooks: readonly Webhook[]; mayChange: boolean }) {
  if (webhooks.length === 0) {
    return (
      <Empty title="No webhook yet">
        <p>
          {mayChange
            ? "Add one to let another system know what happens."
            : "Ask an administrator of your organisation to add one."}
        </p>
      </Empty>
    );
  }
  return (
    <DataTable
      caption="Webhooks of the organisation"
      rows={webhooks}
      keyOf={({ id }) => id}
      columns={[
        {
          title: "URL",
          cell: ({ id, url }) => (
            <Link to="/hooks" search={{ webhook: id }}>
              {url}
            </Link>
          ),
        },
        {
          title: "State",
          cell: (webhook) => <StatusPill status={stateOf(webhook)} of={WEBHOOK_WORDS} />,
        },
        { title: "Hears of", isWide: true, cell: typesOf },
        { title: "For", isWide: true, cell: ({ description }) => description || "–" },
      ]}
    />
  );
}
