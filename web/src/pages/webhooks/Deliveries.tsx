import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type Delivery, deliveriesQuery, redeliver, type Webhook } from "../../api/webhooks";
import { count, MISSING, moment } from "../../lib/format";
import { answerOf, DELIVERY_WORDS } from "../../lib/webhooks";
import { Card } from "../../ui/Page";
import { LivePill } from "../../ui/stat/Freshness";
import { StatusPill } from "../../ui/stat/StatusPill";
import { Async, Empty } from "../../ui/states/states";
import { type Column, DataTable } from "../../ui/table/DataTable";

const COLUMNS: readonly Column<Delivery>[] = [
  {
    title: "Type",
    cell: ({ type }) => <code>{type}</code>,
    csv: ({ type }) => type,
  },
  {
    title: "Status",
    cell: ({ status }) => <StatusPill status={status} of={DELIVERY_WORDS} />,
    csv: ({ status }) => status,
  },
  {
    title: "Answer",
    cell: answerOf,
    csv: ({ httpStatus, error }) => httpStatus ?? error,
  },
  {
    title: "Attempts",
    isNumber: true,
    cell: ({ attempts }) => count(attempts),
    csv: ({ attempts }) => attempts,
  },
  {
    title: "Last attempt (UTC)",
    cell: ({ lastAttemptAt }) => moment(lastAttemptAt),
    csv: ({ lastAttemptAt }) => lastAttemptAt,
  },
  {
    title: "Request id",
    cell: ({ requestId }) => (requestId ? <code>{requestId}</code> : MISSING),
    csv: ({ requestId }) => requestId,
  },
  {
    title: "Message",
    cell: ({ messageId }) => <code>{messageId}</code>,
    csv: ({ messageId }) => messageId,
  },
];

/** The newest messages, and what came of each. */
export function Deliveries({ webhook, mayChange }: { webhook: Webhook; mayChange: boolean }) {
  const answer = useQuery(deliveriesQuery(webhook.id));
  const queries = useQueryClient();
  const again = useMutation({
    mutationFn: ({ messageId }: Delivery) => redeliver(webhook.id, messageId),
    onSettled: () => queries.invalidateQueries({ queryKey: ["webhooks", webhook.id, "deliveries"] }),
  });
  const actions: Column<Delivery> = {
    title: "Actions",
    isNumber: true,
    cell: (delivery) => (
      <button
        type="button"
        className="button quiet"
        aria-label={`Deliver again: ${delivery.messageId}`}
        disabled={again.isPending || !webhook.enabled}
        onClick={() => again.mutate(delivery)}
      >
        Deliver again
      </button>
    ),
  };
  return (
    <Card title="Deliveries" note={<LivePill updatedAt={answer.dataUpdatedAt} />}>
      {again.error && <p role="alert">Not delivered again: {again.error.message}</p>}
      <Async answer={answer} height={320}>
        {({ data: { deliveries } }) =>
          deliveries.length === 0 ? (
            <Empty title="Nothing was sent in the last 30 days">
              <p>Send a test, or wait for the next order.</p>
            </Empty>
          ) : (
            <DataTable
              caption="The last 100 messages, newest first"
              rows={deliveries}
              keyOf={({ messageId }) => messageId}
              fileName="deliveries.csv"
              columns={mayChange ? [...COLUMNS, actions] : COLUMNS}
            />
          )
        }
      </Async>
    </Card>
  );
}
