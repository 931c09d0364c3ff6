/** Who is signed in, and how one signs in and out. No token is ever visible to script. */

import { queryOptions } from "@tanstack/react-query";
import { api, body, WRITE_HEADERS } from "./client";
import type { components } from "./schema";

export type Me = components["schemas"]["Me"];

export const meQuery = queryOptions({
  queryKey: ["me"],
  queryFn: ({ signal }) => body(api.GET("/api/me", { signal })),
  select: ({ data }) => data,
  staleTime: 5 * 60_000,
});

/** Editors and administrators change orders and stock; the API decides, the page only does not offer it in vain. */
export function mayWrite(me: Me | undefined): boolean {
  return me?.current?.role === "editor" || isAdmin(me);
}

export function isAdmin(me: Me | undefined): boolean {
  return me?.current?.role === "admin";
}

export function signInAddress(next: string, provider?: string): string {
  const query = new URLSearchParams({ next, ...(provider && { provider }) });
  return `/auth/login?${query}`;
}

/** Where one can sign in beside the user pool's page. The page works without it. */
export const providersQuery = queryOptions({
  queryKey: ["providers"],
  queryFn: async ({ signal }): Promise<string[]> => {
    const response = await fetch("/auth/providers", { signal });
    return response.ok ? (await response.json()).data.providers : [];
  },
  staleTime: 5 * 60_000,
  retry: false,
});

/** A new token, with the organisation and role of now; then everything is read again. */
export async function startAgain(path: string): Promise<void> {
  await fetch("/auth/refresh", { method: "POST", headers: WRITE_HEADERS });
  location.assign(path);
}

export async function signOut(): Promise<void> {
  const response = await fetch("/auth/logout", { method: "POST", headers: WRITE_HEADERS });
  // The page of the user pool has a session of its own, which ends there.
  location.assign(response.ok ? (await response.json()).data.logoutUrl : "/sign-in");
}
