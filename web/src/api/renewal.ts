/** Renewing the session: once for all tabs, and patiently while the server is busy. */

export type Renewal = "renewed" | "over" | Response;

export interface Surroundings {
  post: () => Promise<Response>;
  /** Undefined where the browser trusts the page too little for locks: each tab then renews for itself. */
  locks: Pick<LockManager, "request"> | undefined;
  wait: (milliseconds: number) => Promise<void>;
  random: () => number;
}

const LOCK = "pulsequeue-renewal";
const TRIES = 3;
const LONGEST_SECONDS = 10;

/**
 * Return what renews the session of this tab. Requests that fail together share one renewal, and so do tabs: while
 * one of them renews, the others wait, and then find the new cookie. A busy server is asked again, at a time of our
 * own: after an outage the tabs of all people come at once.
 */
export function makeRenewal({ post, locks, wait, random }: Surroundings): () => Promise<Renewal> {
  async function renew(): Promise<Renewal> {
    for (let attempt = 1; ; attempt++) {
      const response = await post();
      if (response.ok) return "renewed";
      if (response.status < 500 && response.status !== 429) return "over";
      if (attempt === TRIES) return response;
      const asked = Number(response.headers.get("retry-after")) || 1;
      await wait(random() * Math.min(asked * attempt, LONGEST_SECONDS) * 1000);
    }
  }

  async function once(): Promise<Renewal> {
    if (!locks) return renew();
    const own = await locks.request(LOCK, { ifAvailable: true }, (lock) => (lock ? renew() : undefined));
    // Another tab is at it: its cookie is ours, too. If it got none, the request that is sent again says so.
    return own ?? locks.request(LOCK, { mode: "shared" }, () => "renewed" as const);
  }

  let running: Promise<Renewal> | undefined;
  return () => {
    running ??= once().finally(() => {
      running = undefined;
    });
    return running;
  };
}
