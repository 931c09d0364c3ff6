/** The organisation: who belongs to it, who is invited, which machines act for it. */

import { queryOptions } from "@tanstack/react-query";
import { api, body } from "./client";
import type { Schemas } from "./queries";

export type Member = Schemas["MemberView"];
export type Invitation = Schemas["InvitationView"];
export type Machine = Schemas["MachineView"];
export type Role = Schemas["NewInvitation"]["role"];
export type Scope = Schemas["NewMachine"]["scopes"][number];

export const membersQuery = queryOptions({
  queryKey: ["members"],
  queryFn: ({ signal }) => body(api.GET("/api/members", { signal })),
});

export const invitationsQuery = queryOptions({
  queryKey: ["invitations"],
  queryFn: ({ signal }) => body(api.GET("/api/invitations", { signal })),
});

export const machinesQuery = queryOptions({
  queryKey: ["machines"],
  queryFn: ({ signal }) => body(api.GET("/api/machines", { signal })),
});

export function changeRole(userId: string, role: Role) {
  return body(api.PATCH("/api/members/{userId}", { params: { path: { userId } }, body: { role } }));
}

export function removeMember(userId: string) {
  return body(api.DELETE("/api/members/{userId}", { params: { path: { userId } } }));
}

export async function invite(email: string, role: Role): Promise<Schemas["CreatedInvitation"]> {
  return (await body(api.POST("/api/invitations", { body: { email, role } }))).data;
}

export function withdrawInvitation(invitationId: string) {
  return body(api.DELETE("/api/invitations/{invitationId}", { params: { path: { invitationId } } }));
}

export function acceptInvitation(token: string) {
  return body(api.POST("/api/invitations/accept", { body: { token } }));
}

export async function createMachine(name: string, scopes: Scope[]): Promise<Schemas["CreatedMachine"]> {
  return (await body(api.POST("/api/machines", { body: { name, scopes } }))).data;
}

export function removeMachine(clientId: string) {
  return body(api.DELETE("/api/machines/{clientId}", { params: { path: { clientId } } }));
}

export function chooseOrganization(tenantId: string) {
  return body(api.PUT("/api/me/organization", { body: { tenantId } }));
}

export function foundOrganization(name: string) {
  return body(api.POST("/api/organizations", { body: { name } }));
}
