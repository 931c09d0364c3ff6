import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { WebhookBody, WebhookType } from "../../api/webhooks";
import { WEBHOOK_TYPES, withType } from "../../lib/webhooks";
import dialog from "../../ui/dialog.module.css";
import { FormDialog } from "../../ui/FormDialog";

interface WebhookDialogProps<Answer> {
  title: string;
  action: string;
  before: WebhookBody;
  send: (webhook: WebhookBody) => Promise<Answer>;
  done: (answer: Answer) => void;
  close: () => void;
}

/** The fields that members choose, for a new webhook and for one that is there. */
export function WebhookDialog<Answer>({
  title,
  action,
  before,
  send,
  done,
  close,
}: WebhookDialogProps<Answer>) {
  const queries = useQueryClient();
  const [webhook, setWebhook] = useState(before);
  const change = (fields: Partial<WebhookBody>) => setWebhook((now) => ({ ...now, ...fields }));
  const request = useMutation({
    mutationFn: () => send({ ...webhook, url: webhook.url.trim() }),
    onSuccess: async (answer) => {
      close();
      done(answer);
      await queries.invalidateQueries({ queryKey: ["webhooks"] });
    },
  });
  return (
    <FormDialog title={title} action={action} keep="Close" request={request} close={close}>
      <label className="field">
        URL
        <input
          type="url"
          required
          maxLength={2_048}
          placeholder="https://shop.example/hooks"
          value={webhook.url}
          onChange={(event) => change({ url: event.target.value })}
        />
      </label>
      <label className="field">
        What it is for (optional)
        <input
          maxLength={256}
          value={webhook.description}
          onChange={(event) => change({ description: event.target.value })}
        />
      </label>
      <label className="field">
        Form of the messages
        <select
          value={webhook.format}
          onChange={(event) => change({ format: event.target.value as WebhookBody["format"] })}
        >
          <option value="standard">Standard Webhooks</option>
          <option value="cloudevents">CloudEvents</option>
        </select>
      </label>
      <fieldset className={dialog.choices}>
        <legend>It hears when (nothing chosen: always)</legend>
        {(Object.keys(WEBHOOK_TYPES) as WebhookType[]).map((type) => (
          <label key={type} className="check">
            <input
              type="checkbox"
              checked={webhook.types.includes(type)}
              onChange={(event) => change({ types: withType(webhook.types, type, event.target.checked) })}
            />
            <span>
              {WEBHOOK_TYPES[type]} <code>{type}</code>
            </span>
          </label>
        ))}
      </fieldset>
    </FormDialog>
  );
}
