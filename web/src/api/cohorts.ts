/** Cohorts of customers: who stays, and what they bring. */

import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { CohortBasis } from "../lib/filters";
import { api, body } from "./client";

export const cohortsQuery = (basis: CohortBasis) =>
  queryOptions({
    queryKey: ["cohorts", basis],
    queryFn: ({ signal }) => body(api.GET("/api/metrics/cohorts", { params: { query: { basis } }, signal })),
    placeholderData: keepPreviousData,
  });

export const revenueCohortsQuery = (basis: CohortBasis) =>
  queryOptions({
    queryKey: ["revenue-cohorts", basis],
    queryFn: ({ signal }) =>
      body(api.GET("/api/metrics/cohorts/revenue", { params: { query: { basis } }, signal })),
    placeholderData: keepPreviousData,
  });
