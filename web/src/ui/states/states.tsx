import type { ReactNode } from "react";
import { ApiProblem, Unreachable } from "../../api/problem";
import { OutOfDate } from "../../lib/load";
import styles from "./states.module.css";

/** Keeps the place of what is being asked for, so that nothing jumps when it arrives. */
export function Skeleton({ height }: { height: number }) {
  return (
    <div role="status">
      <span className="hidden">Loading…</span>
      <div className={styles.skeleton} style={{ height }} />
    </div>
  );
}

export function Empty({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className={styles.state}>
      <div>
        <strong>{title}</strong>
        {children}
      </div>
    </div>
  );
}

interface Failing {
  error: Error;
  retry: () => void;
}

function titleOf(error: Error): string {
  if (error instanceof Unreachable) return "No connection";
  if (error instanceof OutOfDate) return "This page is out of date";
  if (error instanceof ApiProblem) {
    if (error.status === 403) return "You may not see this";
    if (error.status === 404) return "Not found";
    return error.title;
  }
  return "Something went wrong";
}

/** What failed, why, and the next step. A part of a page fails alone. */
export function Problem({ error, retry }: Failing) {
  const problem = error instanceof ApiProblem ? error : undefined;
  const forbidden = problem?.status === 403;
  return (
    <div className={`${styles.state} ${forbidden ? "" : styles.problem}`} role="alert">
      <div>
        <strong>{titleOf(error)}</strong>
        <p>{error.message}</p>
        {forbidden && <p>Ask an administrator of your organisation for access.</p>}
        {problem && problem.parameters.length > 0 && (
          <ul>
            {problem.parameters.map(({ parameter, problem: reason }) => (
              <li key={parameter}>
                <code>{parameter}</code>: {reason}
              </li>
            ))}
          </ul>
        )}
      </div>
      {!forbidden && problem?.status !== 404 && (
        <button
          type="button"
          className="button"
          onClick={error instanceof OutOfDate ? () => location.reload() : retry}
        >
          {error instanceof OutOfDate ? "Reload" : "Try again"}
        </button>
      )}
    </div>
  );
}

/** Numbers stay on screen while an update of them fails. */
export function NotUpdated({ error, retry }: Failing) {
  return (
    <div className={styles.notice} role="alert">
      <span>Not updated: {error.message}</span>
      <button type="button" className="button" onClick={retry}>
        Try again
      </button>
    </div>
  );
}

interface Answer<Data> {
  data: Data | undefined;
  error: Error | null;
  refetch: () => unknown;
}

interface AsyncProps<Data> {
  answer: Answer<Data>;
  height: number;
  children: (data: Data) => ReactNode;
}

/** One part of a page: a skeleton, then the data or the problem, and both when an update fails. */
export function Async<Data>({ answer, height, children }: AsyncProps<Data>) {
  const { data, error } = answer;
  const retry = () => void answer.refetch();
  if (data === undefined)
    return error ? <Problem error={error} retry={retry} /> : <Skeleton height={height} />;
  return (
    <>
      {error && <NotUpdated error={error} retry={retry} />}
      {children(data)}
    </>
  );
}
