import assert from "node:assert/strict";
import type Docker from "dockerode";
import { lockLabels } from "../../../provider/container/lock-record";
import { readPolicy } from "../../../provider/health-policy/inputs";
import { observeHost } from "../../../provider/health-policy/observe";
import type { HostSession } from "../../../provider/host/session";
import { Fields } from "../../../provider/values";
import { IdleClock } from "../../support/idle-clock";

const HOLDER = { bootId: "0123456789abcdef-0000", pid: 42, startTicks: "777" };
const LABELS = lockLabels({ holder: "p/s, me@here", operation: "ab", session: HOLDER, ttlMs: 60_000 });

/** The services that a policy sees locked, where `web` has a lock container with these labels. */
async function lockedWhere(
  labels: Readonly<Record<string, string>>,
  process: string,
  info: () => Promise<unknown> = () => Promise.resolve({ SystemTime: "2026-01-01T00:00:10Z" }),
): Promise<readonly string[]> {
  const docker = {
    listContainers: ({ filters }: { readonly filters: { readonly name?: readonly string[] } }) =>
      Promise.resolve(filters.name === undefined ? [] : [{ Id: "lock", Names: ["/slipway.lock.web"] }]),
    getContainer: () => ({
      inspect: () =>
        Promise.resolve({ Id: "lock", Created: "2026-01-01T00:00:00Z", Config: { Labels: labels } }),
    }),
    info,
  } as unknown as Docker;
  const session = {
    target: "root@host:22",
    hostKey: "",
    script: () => Promise.resolve({ kind: "exited", code: 0, stdout: `${process}\n`, stderr: "" }),
  } as unknown as HostSession;
  const policy = readPolicy(new Fields({ name: "health", hosts: [{ host: "host" }] }));
  const { signal } = new AbortController();
  const look = {
    ...{ session, docker, clock: new IdleClock(), signal, longestProbeMs: 1_000 },
    details: "for-a-report",
  } as const;
  return (await observeHost(policy, look)).locked;
}

describe("observeHost of a policy", () => {
  it("must respect the lock of a deployment that lives, and of one that cannot be seen", async () => {
    assert.deepEqual(await lockedWhere(LABELS, "alive"), ["web"]);
    assert.deepEqual(await lockedWhere(LABELS, "unknown"), ["web"]);
    assert.deepEqual(await lockedWhere({}, "gone"), ["web"]);
  });

  it("must not be held up by the lock that a dead deployment left", async () => {
    assert.deepEqual(await lockedWhere(LABELS, "gone"), []);
  });

  it("must not wait for ever for an engine that does not answer for a lock", async () => {
    await assert.rejects(
      lockedWhere(LABELS, "alive", () => new Promise(() => {})),
      /looking at the locks of services on root@host:22: the engine did not answer \(waited 1m\)\. Nothing was touched/,
    );
  });
});
