/** The datasets of the fake API, and the bucket beside it that takes their files. */

import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Schemas } from "../src/api/queries";
import { NOW } from "./data";
import { type Answer, problem } from "./organization";

const MINUTE_MS = 60_000;
const at = (minutes: number) => new Date(NOW.getTime() + minutes * MINUTE_MS).toISOString();
const ok = (data: unknown, status = 200): Answer => ({ status, body: { data } });

type Details = Schemas["DatasetDetails"];
type Load = Schemas["DatasetLoadView"];

const LOAD: Load = {
  loadId: 1,
  state: "ready",
  fileName: "sales-of-the-shop-in-the-old-town-2026.csv",
  bytes: 48_200,
  records: 1_202,
  loaded: 1_200,
  rejected: 2,
  copied: 1_200,
  reason: null,
  createdBy: "user-1",
  createdAt: at(-600),
  updatedAt: at(-599),
};

const DATASET: Details = {
  id: "ds_1",
  name: "Sales of the old town",
  createdBy: "user-1",
  createdAt: at(-600),
  kpis: ["price", "units"],
  dimensions: ["region"],
  firstAt: "2026-01-01T00:00:00Z",
  lastAt: "2026-06-30T00:00:00Z",
  rows: 1_200,
  loads: [LOAD],
  proposal: null,
};

const PROPOSAL: Schemas["DatasetProposal"] = {
  time: "day",
  columns: [
    { name: "day", type: "date", question: "date-order", reason: "all 3 values are dates of two orders" },
    { name: "region", type: "text", question: null, reason: "not all values are numbers or dates" },
    { name: "price", type: "number", question: null, reason: "all 3 values are numbers" },
  ],
  guesses: [
    { subject: "encoding", value: "utf-8", reason: "all bytes are valid" },
    { subject: "delimiter", value: ";", reason: "each line has as many" },
    { subject: "header", value: "yes", reason: "the first line differs from those below" },
  ],
  sample: [
    ["01/03/2026", "Bavaria", "12.50"],
    ["02/03/2026", null, "8.00"],
  ],
};

/** One that waits until somebody says how its file is read. */
export const UNDECIDED: Details = {
  ...DATASET,
  id: "ds_undecided",
  name: "Visits",
  rows: 0,
  loads: [{ ...LOAD, state: "inspected", records: null, loaded: null, rejected: null, copied: 0 }],
  proposal: PROPOSAL,
};

const FAULTS: Schemas["RejectedValue"][] = [
  { line: 17, column: "price", reason: "not a number", expected: "a number such as 1234.56", raw: "twelve" },
  {
    line: 903,
    column: "a_column_with_a_name_that_is_rather_long",
    reason: "not a date",
    expected: "a date such as 31/12/2026",
    raw: "31/02/2026",
  },
];

export class FakeDatasets {
  datasets: Details[] = [structuredClone(DATASET)];
  /** What arrived at the bucket. */
  readonly uploads: { method: string; content: string }[] = [];
  /** What a confirmation said. */
  answers: unknown;
  isRefusing = false;
  /** Requests for a dataset until its load goes on. */
  patience = 0;
  private server: Server | undefined;
  private waited = 0;

  /** Where files are sent. */
  uploadUrl = "";

  async start(): Promise<void> {
    const server = createServer(async (request, response) => {
      const content = await textOf(request);
      const cors = {
        "access-control-allow-origin": "*",
        "access-control-allow-methods": "POST",
        "access-control-allow-headers": "content-type",
      };
      const method = request.method ?? "";
      if (method === "OPTIONS") response.writeHead(200, cors).end();
      else {
        this.uploads.push({ method, content });
        if (!this.isRefusing) this.arrived();
        response.writeHead(this.isRefusing ? 403 : 204, cors).end();
      }
    });
    this.server = server;
    await new Promise<void>((started) => server.listen(0, "127.0.0.1", started));
    this.uploadUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/uploads`;
  }

  stop(): void {
    this.server?.closeAllConnections();
    this.server?.close();
  }

  /** The answer to a request about datasets; undefined where it is about something else. */
  answer(method: string, path: string, body: Record<string, unknown>, role: string): Answer | undefined {
    const [isOurs, id, part, loadId] =
      /^\/api\/datasets(?:\/([^/]+))?(?:\/(errors|file|loads)(?:\/(\d+))?)?$/.exec(path) ?? [];
    if (!isOurs) return undefined;
    if (role === "viewer" && method !== "GET")
      return problem(403, "Forbidden", "The role viewer cannot change datasets.");
    if (!id) return method === "GET" ? ok({ datasets: this.datasets }) : this.add(body);
    const found = this.datasets.find((dataset) => dataset.id === id);
    if (!found) return problem(404, "Not found", `There is no dataset ${id}.`);
    if (loadId) return this.confirm(found, body);
    if (part === "loads") return this.upload(found, String(body.fileName));
    if (part === "errors")
      return ok({ loadId: 1, rejected: 2, errors: FAULTS, url: `${this.uploadUrl}/rejects.csv` });
    if (part === "file") return ok({ url: `${this.uploadUrl}/data.parquet` });
    if (method === "DELETE") return this.remove(found);
    this.goOn(found);
    return ok(found);
  }

  private add({ name, fileName }: Record<string, unknown>): Answer {
    const id = `ds_${this.datasets.length + 1}`;
    const added = { ...DATASET, id, name: String(name), rows: 0, kpis: [], dimensions: [], loads: [] };
    this.datasets.push({ ...added, firstAt: null, lastAt: null });
    return this.upload(this.datasets.at(-1) as Details, String(fileName));
  }

  private upload(dataset: Details, fileName: string): Answer {
    const nothing = { records: null, loaded: null, rejected: null, copied: 0, bytes: null };
    const load: Load = { ...LOAD, ...nothing, loadId: dataset.loads.length + 1, state: "waiting", fileName };
    dataset.loads.unshift(load);
    const form: Schemas["UploadFormView"] = {
      datasetId: dataset.id,
      loadId: load.loadId,
      url: this.uploadUrl,
      fields: { key: `northwind/${dataset.id}/${load.loadId}`, "Content-Type": "text/csv" },
      maxBytes: 536_870_912,
      expiresAt: at(60),
    };
    return ok(form, 201);
  }

  private arrived(): void {
    for (const { loads } of this.datasets) if (loads[0]?.state === "waiting") loads[0].state = "uploaded";
  }

  private confirm(dataset: Details, body: Record<string, unknown>): Answer {
    this.answers = body;
    const [load] = dataset.loads;
    if (load)
      Object.assign(load, { state: "loading", records: 1_202, loaded: 1_200, rejected: 2, copied: 480 });
    dataset.proposal = null;
    return ok({ datasetId: dataset.id, loadId: load?.loadId }, 202);
  }

  /** A load is one step further with each request, after as many as `patience` says. */
  private goOn(dataset: Details): void {
    const [load] = dataset.loads;
    if (!load || this.waited++ < this.patience) return;
    this.waited = 0;
    if (load.state === "uploaded") {
      load.state = dataset.rows ? "loading" : "inspected";
      if (load.state === "inspected") dataset.proposal = PROPOSAL;
      else Object.assign(load, { records: 300, loaded: 300, rejected: 0, copied: 150 });
    } else if (load.state === "loading") {
      Object.assign(load, { state: "ready", copied: load.loaded });
      Object.assign(dataset, { rows: load.loaded, kpis: ["price"], dimensions: ["region"] });
    }
  }

  private remove(found: Details): Answer {
    this.datasets = this.datasets.filter((dataset) => dataset !== found);
    return ok({ removed: true });
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const part of request) text += part;
  return text;
}
