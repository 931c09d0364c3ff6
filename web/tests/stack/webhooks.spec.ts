/** Webhooks on a running stack: a receiver of this test's own gets what the page sends. */

import { createHmac } from "node:crypto";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "./session";

interface Post {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** As a subscriber does it, with nothing but the standard library. */
function isSigned({ headers, body }: Post, secret: string): boolean {
  const key = Buffer.from(secret.replace("whsec_", ""), "base64");
  const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
  const signature = `v1,${createHmac("sha256", key).update(signed).digest("base64")}`;
  return String(headers["webhook-signature"]).split(" ").includes(signature);
}

test("a webhook is added, tested, given a new secret, and deleted", async ({ page }) => {
  const posts: Post[] = [];
  const receiver = createServer(async (request, response) => {
    let body = "";
    for await (const part of request) body += part;
    posts.push({ headers: request.headers, body });
    response.writeHead(204, { "x-request-id": "receiver-1" }).end();
  });
  await new Promise<void>((started) => receiver.listen(0, "127.0.0.1", started));
  try {
    const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hooks`;
    await page.goto("/hooks");
    await page.getByRole("button", { name: "Add webhook…" }).click();
    await page.getByLabel("URL").fill(url);
    await page.getByLabel("subscription.cancelled").check();
    await page.getByRole("button", { name: "Add webhook", exact: true }).click();
    const secret = await page.getByLabel("Secret", { exact: true }).inputValue();
    await page.getByRole("button", { name: "I have copied it" }).click();

    await page.getByRole("button", { name: "Send test" }).click();
    const row = page.getByRole("row").filter({ hasText: "webhook.test" });
    await expect(row).toContainText("Delivered");
    await expect(row).toContainText("receiver-1");
    expect(posts.every((post) => isSigned(post, secret))).toBe(true);
    expect(JSON.parse(posts[0]?.body ?? "{}").type).toBe("webhook.test");

    await page.getByRole("button", { name: "New secret…" }).click();
    await page.getByRole("button", { name: "Make it" }).click();
    const second = await page.getByLabel("Secret", { exact: true }).inputValue();
    await page.getByRole("button", { name: "I have copied it" }).click();
    const before = posts.length;
    await page.getByRole("button", { name: /^Deliver again: msg_/ }).click();
    await expect.poll(() => posts.length).toBeGreaterThan(before);
    const last = posts.at(-1);
    expect(last && isSigned(last, secret) && isSigned(last, second)).toBe(true);
    expect(new Set(posts.map(({ headers }) => headers["webhook-id"])).size).toBe(1);

    await page.getByRole("button", { name: "Delete…" }).click();
    await page.getByRole("button", { name: "Delete webhook" }).click();
    await expect(page.getByRole("link", { name: url })).toHaveCount(0);
  } finally {
    receiver.closeAllConnections();
    receiver.close();
  }
});
