/** The organisation of the fake API: what settings read and change. */

import type { Schemas } from "../src/api/queries";
import { NOW } from "./data";

const DAY_MS = 86_400_000;
const at = (days: number) => new Date(NOW.getTime() + days * DAY_MS).toISOString();

export interface Answer {
  readonly status: number;
  readonly body?: unknown;
}

export function problem(status: number, title: string, detail: string): Answer {
  const body: Schemas["Problem"] = {
    status,
    title,
    detail,
    type: "about:blank",
    instance: "/",
    errors: null,
  };
  return { status, body };
}

const done = { status: 200, body: { data: { done: true } } } as const;
const ok = (data: unknown, status = 200): Answer => ({ status, body: { data } });

export class FakeOrganization {
  members: Schemas["MemberView"][] = [
    { userId: "user-1", email: "mara@northwind.example", role: "admin", addedAt: at(-400) },
    { userId: "user-2", email: "teo@northwind.example", role: "editor", addedAt: at(-120) },
    { userId: "user-3", email: "ines.with-a-long-name@northwind.example", role: "viewer", addedAt: at(-3) },
  ];
  invitations: Schemas["InvitationView"][] = [
    {
      id: "invitation-1",
      email: "kai@northwind.example",
      role: "viewer",
      invitedBy: "user-1",
      expiresAt: at(5),
    },
  ];
  machines: Schemas["MachineView"][] = [
    {
      clientId: "machine-4b1f",
      name: "Web shop",
      scopes: ["orders:read", "orders:write"],
      createdAt: at(-90),
      createdBy: "user-1",
    },
  ];
  views: Schemas["SavedView"][] = [];
  governance: Schemas["MetricGovernance"][] = [
    "churn",
    "cohorts",
    "mrr",
    "orders",
    "pipeline",
    "sales",
    "summary",
  ].map((metric) => ({
    metric,
    visibleTo: metric === "mrr" ? ["admin"] : ["admin", "editor", "viewer"],
    audited: metric === "mrr",
    smallestGroup: metric === "cohorts" ? 5 : null,
    customersHiddenFrom: metric === "orders" ? ["viewer"] : [],
  }));

  /** The answer to a request about the organisation; undefined where it is about something else. */
  answer(method: string, path: string, body: Record<string, unknown>): Answer | undefined {
    const [, collection, id] = /^\/api\/(members|invitations|machines|views)(?:\/(.+))?$/.exec(path) ?? [];
    const [isGovernance, metric] = /^\/api\/governance(?:\/(.+))?$/.exec(path) ?? [];
    if (isGovernance) return this.ofGovernance(metric, body);
    switch (collection) {
      case "members":
        return this.ofMembers(method, id, body);
      case "invitations":
        return this.ofInvitations(method, id, body);
      case "machines":
        return this.ofMachines(method, id, body);
      case "views":
        return this.ofViews(method, id, body);
      default:
        return undefined;
    }
  }

  private ofGovernance(metric: string | undefined, body: Record<string, unknown>): Answer {
    if (metric === undefined) return ok({ metrics: this.governance });
    const found = this.governance.find((each) => each.metric === metric);
    if (!found) return problem(404, "Not found", "No such metric.");
    return ok(Object.assign(found, body));
  }

  private ofMembers(method: string, id: string | undefined, body: Record<string, unknown>): Answer {
    if (method === "GET") return ok({ members: this.members });
    const found = this.members.find(({ userId }) => userId === id);
    if (!found) return problem(404, "Not found", "No such member.");
    const isLastAdmin = this.members.filter(({ role }) => role === "admin").length === 1;
    if (found.role === "admin" && isLastAdmin) {
      return problem(409, "Conflict", "At least one administrator remains; make another one first.");
    }
    if (method === "DELETE") {
      this.members = this.members.filter((member) => member !== found);
      return done;
    }
    found.role = String(body.role);
    return ok(found);
  }

  private ofInvitations(method: string, id: string | undefined, body: Record<string, unknown>): Answer {
    if (method === "GET") return ok({ invitations: this.invitations });
    if (method === "DELETE") {
      this.invitations = this.invitations.filter((invitation) => invitation.id !== id);
      return done;
    }
    if (id === "accept") {
      if (body.token !== "token-1")
        return problem(404, "Not found", "The invitation has ended, or never was.");
      return ok({ tenantId: "northwind", organization: "Northwind Coffee", role: "viewer" }, 201);
    }
    const created = {
      id: `invitation-${this.invitations.length + 1}`,
      email: String(body.email),
      role: String(body.role),
      invitedBy: "user-1",
      expiresAt: at(7),
    };
    this.invitations.push(created);
    return ok({ ...created, token: "token-1" }, 201);
  }

  private ofMachines(method: string, id: string | undefined, body: Record<string, unknown>): Answer {
    if (method === "GET") return ok({ machines: this.machines });
    if (method === "DELETE") {
      this.machines = this.machines.filter((machine) => machine.clientId !== id);
      return done;
    }
    this.machines.push({
      clientId: "machine-77aa",
      name: String(body.name),
      scopes: body.scopes as string[],
      createdAt: at(0),
      createdBy: "user-1",
    });
    return ok({ clientId: "machine-77aa", clientSecret: "secret-once-9f8e7d" }, 201);
  }

  private ofViews(method: string, id: string | undefined, body: Record<string, unknown>): Answer {
    if (method === "GET") return ok({ views: this.views });
    if (method === "DELETE") {
      this.views = this.views.filter((view) => view.id !== id);
      return done;
    }
    const view = {
      ...(body as Schemas["ViewBody"]),
      id: id ?? `view-${this.views.length + 1}`,
      owner: "user-1",
    } as Schemas["SavedView"];
    this.views = [...this.views.filter((each) => each.id !== view.id), view];
    return ok(view, 201);
  }
}
