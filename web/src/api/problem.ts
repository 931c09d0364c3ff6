/** What went wrong with a request: an answer that says so (RFC 9457), or no answer. */

import type { components } from "./schema";

type ProblemBody = components["schemas"]["Problem"];

export class ApiProblem extends Error {
  override readonly name = "ApiProblem";
  readonly status: number;
  readonly title: string;
  readonly parameters: readonly { parameter: string; problem: string }[];

  constructor(status: number, body?: Partial<ProblemBody>) {
    const detail = body?.detail ?? `The server answered with status ${status}.`;
    super(detail);
    this.status = status;
    this.title = body?.title ?? "Request failed";
    this.parameters = body?.errors ?? [];
  }
}

export class Unreachable extends Error {
  override readonly name = "Unreachable";
  constructor() {
    super("No answer from the server. Check your connection.");
  }
}

/** A proxy may answer with something other than problem+json. */
export async function problemOf(response: Response): Promise<ApiProblem> {
  const isProblem = response.headers.get("content-type")?.startsWith("application/problem+json");
  return new ApiProblem(response.status, isProblem ? await response.json() : undefined);
}

/** Another try can help where nothing or a passing fault answered, and cannot where the request is wrong. */
export function isWorthRetrying(error: Error): boolean {
  return error instanceof Unreachable || (error instanceof ApiProblem && error.status >= 500);
}
