import { lazy, Suspense, useState } from "react";
import { part } from "../lib/load";

const ViewsDialog = lazy(part(() => import("./ViewsDialog")));

export interface SavedViewsProps {
  /** The page whose filters these are. */
  page: string;
  /** The filters on screen. */
  query: object;
  open: (query: Record<string, unknown>) => void;
}

/** Filters under a name: kept by the API, so that they are there on every machine, and for colleagues. */
export function SavedViews(props: SavedViewsProps) {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <>
      <button type="button" className="button" onClick={() => setIsOpen(true)}>
        Views…
      </button>
      <Suspense>{isOpen && <ViewsDialog {...props} close={() => setIsOpen(false)} />}</Suspense>
    </>
  );
}
