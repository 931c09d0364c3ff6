import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { mayWrite, meQuery } from "../api/session";
import { removeView, saveView, viewsQuery } from "../api/views";
import dialog from "./dialog.module.css";
import { FormDialog } from "./FormDialog";
import type { SavedViewsProps } from "./SavedViews";
import { Async } from "./states/states";

/** The values as text, as the address holds them. */
function texts(query: SavedViewsProps["query"]): Record<string, string> {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  return Object.fromEntries(given.map(([name, value]) => [name, String(value)]));
}

export default function ViewsDialog({ page, query, open, close }: SavedViewsProps & { close: () => void }) {
  const answer = useQuery(viewsQuery);
  const { data: me } = useQuery(meQuery);
  const queries = useQueryClient();
  const [name, setName] = useState("");
  const [shared, setShared] = useState(false);
  const renew = () => queries.invalidateQueries({ queryKey: ["views"] });
  const save = useMutation({
    mutationFn: () => saveView({ page, name: name.trim(), query: texts(query), shared }),
    onSuccess: async () => {
      close();
      await renew();
    },
  });
  const remove = useMutation({ mutationFn: removeView, onSettled: renew });
  return (
    <FormDialog
      title="Saved views"
      action="Save"
      keep="Close"
      request={{ ...save, error: save.error ?? remove.error }}
      close={close}
    >
      <Async answer={answer} height={80}>
        {({ data }) => {
          const views = data.views.filter((view) => view.page === page);
          if (views.length === 0) return <p>No view of this page is saved yet.</p>;
          return (
            <ul className={dialog.list} aria-label="Saved views">
              {views.map((view) => (
                <li key={view.id}>
                  <button
                    type="button"
                    className="button quiet"
                    onClick={() => {
                      close();
                      open(view.query);
                    }}
                  >
                    {view.name}
                    {view.shared && " (shared)"}
                  </button>
                  {(view.owner === me?.userId || me?.current?.role === "admin") && (
                    <button
                      type="button"
                      className="button quiet"
                      aria-label={`Delete the view ${view.name}`}
                      disabled={remove.isPending}
                      onClick={() => remove.mutate(view.id)}
                    >
                      Delete
                    </button>
                  )}
                </li>
              ))}
            </ul>
          );
        }}
      </Async>
      <label className="field">
        Save what is filtered now as
        <input required maxLength={256} value={name} onChange={(event) => setName(event.target.value)} />
      </label>
      {mayWrite(me) && (
        <label className="check">
          <input type="checkbox" checked={shared} onChange={(event) => setShared(event.target.checked)} />
          <span>Share it with the organisation</span>
        </label>
      )}
    </FormDialog>
  );
}
