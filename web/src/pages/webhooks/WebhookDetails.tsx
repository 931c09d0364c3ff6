import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { changeWebhook, removeWebhook, rotateSecret, sendTest, type Webhook } from "../../api/webhooks";
import { moment } from "../../lib/format";
import { bodyOf, sinceOf, stateOf, typesOf, WEBHOOK_WORDS } from "../../lib/webhooks";
import { FormDialog } from "../../ui/FormDialog";
import layout from "../../ui/layout.module.css";
import { Card, Facts } from "../../ui/Page";
import { ShownOnce } from "../../ui/ShownOnce";
import { Deliveries } from "./Deliveries";
import { WebhookDialog } from "./WebhookDialog";

interface WebhookDetailsProps {
  webhook: Webhook;
  mayChange: boolean;
  closed: () => void;
}

/** One webhook: what it is, what is done with it, and what was sent to it. */
export function WebhookDetails({ webhook, mayChange, closed }: WebhookDetailsProps) {
  const state = stateOf(webhook);
  return (
    <>
      <Card title="Webhook">
        <Facts
          of={[
            ["URL", <code key="url">{webhook.url}</code>],
            ["State", `${WEBHOOK_WORDS[state].name}. ${WEBHOOK_WORDS[state].meaning}`],
            ["Since (UTC)", sinceOf(webhook)],
            ["Hears of", typesOf(webhook)],
            ["Form", webhook.format === "cloudevents" ? "CloudEvents" : "Standard Webhooks"],
            ["For", webhook.description || "–"],
            ["Added (UTC)", moment(webhook.createdAt)],
            ["Id", <code key="id">{webhook.id}</code>],
          ]}
        />
        {mayChange && <Actions webhook={webhook} closed={closed} />}
      </Card>
      <Deliveries webhook={webhook} mayChange={mayChange} />
    </>
  );
}

type Open = "change" | "rotate" | "remove";

function Actions({ webhook, closed }: Omit<WebhookDetailsProps, "mayChange">) {
  const queries = useQueryClient();
  const [open, setOpen] = useState<Open>();
  const [secret, setSecret] = useState<string>();
  const close = () => setOpen(undefined);
  const refresh = () => queries.invalidateQueries({ queryKey: ["webhooks"] });
  const test = useMutation({ mutationFn: () => sendTest(webhook.id), onSettled: refresh });
  const toggle = useMutation({
    mutationFn: () => changeWebhook(webhook.id, { enabled: !webhook.enabled }),
    onSettled: refresh,
  });
  const failure = test.error ?? toggle.error;
  return (
    <>
      <div className={layout.actions}>
        <button
          type="button"
          className="button primary"
          disabled={!webhook.enabled || test.isPending}
          onClick={() => test.mutate()}
        >
          Send test
        </button>
        <button type="button" className="button" onClick={() => setOpen("change")}>
          Change…
        </button>
        <button type="button" className="button" disabled={toggle.isPending} onClick={() => toggle.mutate()}>
          {webhook.enabled ? "Disable" : "Enable"}
        </button>
        <button type="button" className="button" onClick={() => setOpen("rotate")}>
          New secret…
        </button>
        <button type="button" className="button" onClick={() => setOpen("remove")}>
          Delete…
        </button>
      </div>
      {failure && <p role="alert">Not done: {failure.message}</p>}
      {test.data && !failure && (
        <p role="status">
          The test <code>{test.data}</code> is on its way; it appears below.
        </p>
      )}
      {open === "change" && (
        <WebhookDialog
          title="Change the webhook"
          action="Save"
          before={bodyOf(webhook)}
          send={(body) => changeWebhook(webhook.id, body)}
          done={() => undefined}
          close={close}
        />
      )}
      {open === "rotate" && <RotateDialog webhook={webhook} close={close} rotated={setSecret} />}
      {open === "remove" && <RemoveDialog webhook={webhook} close={close} removed={closed} />}
      {secret && <NewSecret secret={secret} close={() => setSecret(undefined)} />}
    </>
  );
}

interface RotateDialogProps {
  webhook: Webhook;
  close: () => void;
  rotated: (secret: string) => void;
}

function RotateDialog({ webhook, close, rotated }: RotateDialogProps) {
  const request = useMutation({
    mutationFn: () => rotateSecret(webhook.id),
    onSuccess: (secret) => {
      close();
      rotated(secret);
    },
  });
  return (
    <FormDialog
      title="Make a new secret?"
      action="Make it"
      keep="Keep secret"
      request={request}
      close={close}
    >
      <p>
        For 24 hours messages carry two signatures, one of each secret. Put the new one into your program in
        that time.
      </p>
    </FormDialog>
  );
}

interface RemoveDialogProps {
  webhook: Webhook;
  close: () => void;
  removed: () => void;
}

function RemoveDialog({ webhook, close, removed }: RemoveDialogProps) {
  const queries = useQueryClient();
  const request = useMutation({
    mutationFn: () => removeWebhook(webhook.id),
    onSuccess: async () => {
      close();
      removed();
      await queries.invalidateQueries({ queryKey: ["webhooks"], exact: true });
    },
  });
  return (
    <FormDialog
      title="Delete the webhook?"
      action="Delete webhook"
      keep="Keep webhook"
      isDangerous
      request={request}
      close={close}
    >
      <p>
        <code>{webhook.url}</code> gets nothing any more, not even what is on its way. This cannot be undone.
      </p>
    </FormDialog>
  );
}

export function NewSecret({ secret, close }: { secret: string; close: () => void }) {
  return (
    <ShownOnce
      title="Secret of the webhook"
      explanation="It is shown once, and nobody can read it again. Your program verifies the signature of each message with it."
      values={[{ name: "Secret", value: secret }]}
      close={close}
    />
  );
}
