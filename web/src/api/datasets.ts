/** Datasets: files of one's own, how they are read, and what did not fit. */

import { queryOptions } from "@tanstack/react-query";
import { isBusy } from "../lib/datasets";
import { api, body } from "./client";
import { ApiProblem, Unreachable } from "./problem";
import { LIVE_MS, type Schemas } from "./queries";

export type Dataset = Schemas["DatasetView"];
export type DatasetDetails = Schemas["DatasetDetails"];
export type DatasetLoad = Schemas["DatasetLoadView"];
export type DatasetProposal = Schemas["DatasetProposal"];
export type DatasetColumn = Schemas["DatasetColumn"];
export type LoadAnswers = Schemas["LoadAnswers"];
export type Fault = Schemas["RejectedValue"];
type UploadForm = Schemas["UploadFormView"];

const BUSY_MS = 1_000;

export const datasetsQuery = queryOptions({
  queryKey: ["datasets"],
  queryFn: ({ signal }) => body(api.GET("/api/datasets", { signal })),
  refetchInterval: LIVE_MS,
});

export const datasetQuery = (datasetId: string) =>
  queryOptions({
    queryKey: ["datasets", datasetId],
    queryFn: ({ signal }) =>
      body(api.GET("/api/datasets/{datasetId}", { params: { path: { datasetId } }, signal })),
    refetchInterval: ({ state }) => (isBusy(state.data?.data.loads[0], Date.now()) ? BUSY_MS : LIVE_MS),
  });

/** The load is a part of the key: its faults never change. */
export const faultsQuery = (datasetId: string, loadId: number) =>
  queryOptions({
    queryKey: ["datasets", datasetId, "errors", loadId],
    queryFn: ({ signal }) =>
      body(api.GET("/api/datasets/{datasetId}/errors", { params: { path: { datasetId } }, signal })),
  });

export async function addDataset(name: string, fileName: string): Promise<UploadForm> {
  // Somebody looks at the first file's guesses before it is loaded.
  return (await body(api.POST("/api/datasets", { body: { name, fileName, automatic: false } }))).data;
}

/** A file in place of the one before, read in the same way. */
export async function replaceFile(datasetId: string, fileName: string): Promise<UploadForm> {
  const request = { params: { path: { datasetId } }, body: { fileName, automatic: true } };
  return (await body(api.POST("/api/datasets/{datasetId}/loads", request))).data;
}

export function confirmLoad(datasetId: string, loadId: number, answers: LoadAnswers) {
  const params = { path: { datasetId, loadId } };
  return body(api.POST("/api/datasets/{datasetId}/loads/{loadId}", { params, body: answers }));
}

export function removeDataset(datasetId: string) {
  return body(api.DELETE("/api/datasets/{datasetId}", { params: { path: { datasetId } } }));
}

/** Signed addresses last five minutes, so that they are asked for when somebody wants the file. */
export async function addressOfFaults(datasetId: string): Promise<string> {
  const params = { path: { datasetId } };
  return (await body(api.GET("/api/datasets/{datasetId}/errors", { params }))).data.url;
}

export async function addressOfRows(datasetId: string): Promise<string> {
  const params = { path: { datasetId } };
  return (await body(api.GET("/api/datasets/{datasetId}/file", { params }))).data.url;
}

/** Post the form; `fetch` does not report how much is sent. */
export function sendFile(
  { url, fields }: UploadForm,
  file: File,
  sent: (share: number) => void,
): Promise<void> {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  // S3 ignores what comes after the file.
  form.append("file", file);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.upload.onprogress = ({ loaded, total }) => sent(loaded / total);
    request.onerror = () => reject(new Unreachable());
    request.onload = () => {
      if (request.status < 300) resolve();
      else
        reject(
          new ApiProblem(request.status, { detail: `The file was not accepted (status ${request.status}).` }),
        );
    };
    request.open("POST", url);
    request.send(form);
  });
}
