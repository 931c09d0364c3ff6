import { describe, expect, it } from "vitest";
import { makeRenewal, type Surroundings } from "./renewal";

type Locks = Surroundings["locks"];

/** Locks of one browser, as the Web Locks API has them: one holder, the others in order. */
function makeLocks() {
  let tail: Promise<unknown> = Promise.resolve();
  let held = 0;
  async function request(_: string, options: LockOptions, callback: (lock: Lock | null) => unknown) {
    if (options.ifAvailable && held > 0) return callback(null);
    held++;
    const turn = tail.then(() => callback({ name: "", mode: "exclusive" }));
    tail = turn.catch(() => undefined);
    try {
      return await turn;
    } finally {
      held--;
    }
  }
  return { request } as unknown as Pick<LockManager, "request">;
}

function makeTab(
  answers: Array<[number, Record<string, string>?]>,
  { locks }: { locks: Locks } = { locks: makeLocks() },
) {
  const seen = { posts: 0, waits: [] as number[] };
  const renew = makeRenewal({
    post: async () => {
      const [status, headers] = answers[Math.min(seen.posts, answers.length - 1)] ?? [500];
      seen.posts++;
      await Promise.resolve();
      return new Response(null, { status, ...(headers && { headers }) });
    },
    locks,
    wait: async (milliseconds) => void seen.waits.push(milliseconds),
    random: () => 0.5,
  });
  return { renew, seen };
}

describe("renewing the session", () => {
  it("is done once for requests that fail together", async () => {
    const { renew, seen } = makeTab([[204]]);
    expect(await Promise.all([renew(), renew(), renew()])).toEqual(["renewed", "renewed", "renewed"]);
    expect(seen.posts).toBe(1);
  });

  it("is done once for all tabs", async () => {
    const locks = makeLocks();
    const tabs = [makeTab([[204]], { locks }), makeTab([[204]], { locks }), makeTab([[204]], { locks })];
    expect(await Promise.all(tabs.map(({ renew }) => renew()))).toEqual(["renewed", "renewed", "renewed"]);
    expect(tabs.reduce((sum, { seen }) => sum + seen.posts, 0)).toBe(1);
  });

  it("is done by each tab where there are no locks", async () => {
    const { renew, seen } = makeTab([[204]], { locks: undefined });
    expect(await renew()).toBe("renewed");
    expect(seen.posts).toBe(1);
  });

  it("is done again the next time", async () => {
    const { renew, seen } = makeTab([[204]]);
    await renew();
    await renew();
    expect(seen.posts).toBe(2);
  });

  it("ends with the session, and asks once", async () => {
    const { renew, seen } = makeTab([[401]]);
    expect(await renew()).toBe("over");
    expect(seen).toEqual({ posts: 1, waits: [] });
  });

  it("waits for a busy server, at a time of its own", async () => {
    const { renew, seen } = makeTab([[503, { "retry-after": "5" }], [429], [204]]);
    expect(await renew()).toBe("renewed");
    expect(seen.waits).toEqual([2500, 1000]);
  });

  it("gives up on a server that stays busy, and says so in place of signing out", async () => {
    const { renew, seen } = makeTab([[503]]);
    const outcome = await renew();
    expect(outcome).toBeInstanceOf(Response);
    expect((outcome as Response).status).toBe(503);
    expect(seen.posts).toBe(3);
  });

  it("leaves the lock when the network fails", async () => {
    const locks = makeLocks();
    const broken = makeRenewal({
      post: () => Promise.reject(new TypeError("offline")),
      locks,
      wait: async () => {},
      random: () => 0,
    });
    await expect(broken()).rejects.toThrow("offline");
    expect(await makeTab([[204]], { locks }).renew()).toBe("renewed");
  });
});
