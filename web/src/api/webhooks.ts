/** Webhooks: where messages go, what came of them, and what administrators do with both. */

import { queryOptions } from "@tanstack/react-query";
import { api, body } from "./client";
import { LIVE_MS, type Schemas } from "./queries";

export type Webhook = Schemas["WebhookView"];
export type Delivery = Schemas["DeliveryView"];
export type WebhookBody = Schemas["NewWebhook"];
export type WebhookType = WebhookBody["types"][number];

export const webhooksQuery = queryOptions({
  queryKey: ["webhooks"],
  queryFn: ({ signal }) => body(api.GET("/api/webhooks", { signal })),
  refetchInterval: LIVE_MS,
});

export const deliveriesQuery = (webhookId: string) =>
  queryOptions({
    queryKey: ["webhooks", webhookId, "deliveries"],
    queryFn: ({ signal }) =>
      body(
        api.GET("/api/webhooks/{webhookId}/deliveries", {
          params: { path: { webhookId }, query: { limit: 100 } },
          signal,
        }),
      ),
    refetchInterval: LIVE_MS,
  });

export async function addWebhook(webhook: WebhookBody): Promise<Schemas["CreatedWebhook"]> {
  return (await body(api.POST("/api/webhooks", { body: webhook }))).data;
}

export function changeWebhook(webhookId: string, change: Partial<WebhookBody & { enabled: boolean }>) {
  // What is not said stays as it is.
  const asItIs = { url: null, types: null, description: null, format: null, enabled: null };
  return body(
    api.PATCH("/api/webhooks/{webhookId}", {
      params: { path: { webhookId } },
      body: { ...asItIs, ...change },
    }),
  );
}

export function removeWebhook(webhookId: string) {
  return body(api.DELETE("/api/webhooks/{webhookId}", { params: { path: { webhookId } } }));
}

export async function rotateSecret(webhookId: string): Promise<string> {
  const path = { webhookId };
  return (await body(api.POST("/api/webhooks/{webhookId}/secret", { params: { path } }))).data.secret;
}

export async function sendTest(webhookId: string): Promise<string> {
  const path = { webhookId };
  return (await body(api.POST("/api/webhooks/{webhookId}/test", { params: { path } }))).data.messageId;
}

export async function redeliver(webhookId: string, messageId: string): Promise<string> {
  const path = { webhookId, messageId };
  return (
    await body(api.POST("/api/webhooks/{webhookId}/deliveries/{messageId}/redeliver", { params: { path } }))
  ).data.messageId;
}
