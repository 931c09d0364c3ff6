import { useQuery } from "@tanstack/react-query";
import { Link, Outlet, useNavigate, useRouterState } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useRef, useState, useSyncExternalStore } from "react";
import { meQuery, signOut } from "../../api/session";
import { part } from "../../lib/load";
import { PAGES } from "./pages";
import styles from "./shell.module.css";
import { toggleTheme } from "./theme";
import { useKeys } from "./useKeys";

const Palette = lazy(part(() => import("./Palette")));
const NoOrganization = lazy(part(() => import("./NoOrganization")));
const Shortcuts = lazy(part(() => import("./Shortcuts")));

function subscribeToConnection(changed: () => void): () => void {
  addEventListener("online", changed);
  addEventListener("offline", changed);
  return () => {
    removeEventListener("online", changed);
    removeEventListener("offline", changed);
  };
}

function useIsOnline(): boolean {
  return useSyncExternalStore(subscribeToConnection, () => navigator.onLine);
}

/** After a change of page the focus is at its beginning, so that a screen reader starts there. */
function useFocusOnNewPage() {
  const main = useRef<HTMLElement>(null);
  const path = useRouterState({ select: (state) => state.location.pathname });
  const shown = useRef(path);
  useEffect(() => {
    if (shown.current === path) return;
    shown.current = path;
    main.current?.focus({ preventScroll: true });
  }, [path]);
  return main;
}

/** On a phone the row of pages scrolls: the one shown is in sight. */
function useShownPage() {
  const nav = useRef<HTMLElement>(null);
  const path = useRouterState({ select: (state) => state.resolvedLocation?.pathname });
  useEffect(() => {
    if (path)
      nav.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [path]);
  return nav;
}

export function Shell() {
  const navigate = useNavigate();
  const isOnline = useIsOnline();
  const main = useFocusOnNewPage();
  const nav = useShownPage();
  const { data: me } = useQuery(meQuery);
  const [open, setOpen] = useState<"palette" | "shortcuts" | undefined>();
  const close = () => setOpen(undefined);

  useKeys({
    "ctrl+k": () => setOpen("palette"),
    "?": () => setOpen("shortcuts"),
    t: toggleTheme,
    ...Object.fromEntries(PAGES.map(({ key, path }) => [`g ${key}`, () => void navigate({ to: path })])),
  });

  return (
    <div className={styles.shell}>
      <a className={`button primary ${styles.skip}`} href="#main">
        Skip to content
      </a>
      {!isOnline && (
        <p className={styles.banner} role="status">
          You are offline. Numbers on screen are from before.
        </p>
      )}
      <header className={styles.side} data-no-print>
        <Link to="/" className={styles.brand}>
          <img src="/icon.svg" alt="" width="26" height="26" />
          PulseQueue
        </Link>
        <nav className={styles.nav} aria-label="Pages" ref={nav}>
          {PAGES.map(({ path, title }) => (
            <Link
              key={path}
              to={path}
              activeOptions={{ exact: path === "/", includeSearch: false }}
              activeProps={{ "aria-current": "page" }}
            >
              {title}
            </Link>
          ))}
        </nav>
        <div className={styles.tools}>
          <button type="button" className={`button quiet ${styles.find}`} onClick={() => setOpen("palette")}>
            Go to… <kbd className={styles.key}>Ctrl K</kbd>
          </button>
          <button type="button" className="button quiet" onClick={toggleTheme}>
            Theme
          </button>
          {me && (
            <>
              <p className={styles.who}>
                <strong>{me.current?.organization ?? "No organisation"}</strong>
                {me.email ?? me.userId}
                {me.current && ` · ${me.current.role}`}
              </p>
              <button type="button" className="button quiet" onClick={() => void signOut()}>
                Sign out
              </button>
            </>
          )}
        </div>
      </header>
      <main id="main" className={styles.main} ref={main} tabIndex={-1}>
        <Suspense>{me?.current === null ? <NoOrganization /> : <Outlet />}</Suspense>
      </main>
      <Suspense>
        {open === "palette" && <Palette close={close} />}
        {open === "shortcuts" && <Shortcuts close={close} />}
      </Suspense>
    </div>
  );
}
