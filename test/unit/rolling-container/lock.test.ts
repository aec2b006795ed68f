import assert from "node:assert/strict";
import type { ContainerCreateOptions } from "dockerode";
import { LABEL } from "../../../provider/container/labels";
import { isSlipwayError } from "../../../provider/errors";
import type { HostAccess } from "../../../provider/rolling-container/host-access";
import { acquireLock } from "../../../provider/rolling-container/lock";
import { FakeEngine } from "../../support/fake-engine";

const OPTIONS = { service: "web", holder: "p/s, me@here", operation: "ab", ttlMs: 60_000, waitMs: 1_000 };

/** A host whose engine answers a creation so; there is never a container to look at. */
function hostWhere(
  create: (options: ContainerCreateOptions) => Promise<{ readonly id: string }>,
): HostAccess {
  const access = new FakeEngine().access();
  const gone = Object.assign(new Error("gone"), { statusCode: 404 });
  const docker = {
    createContainer: create,
    getContainer: () => ({ inspect: () => Promise.reject(gone) }),
    info: () => Promise.resolve({}),
  };
  const facts = () => Promise.resolve({ bootId: "", sessionProcess: "" });
  return { ...access, ...({ docker, session: { ...access.session, facts } } as unknown as HostAccess) };
}

describe("acquireLock", () => {
  it("must label the lock as the service's, so that clean-up jobs that spare services spare it", async () => {
    const labels: Readonly<Record<string, string>>[] = [];
    const host = hostWhere(({ Labels }) => {
      labels.push(Labels ?? {});
      return Promise.resolve({ id: "lock" });
    });
    assert.equal((await acquireLock(host, OPTIONS)).id, "lock");
    assert.equal(labels[0]?.[LABEL.service], "web");
  });

  it("must end its wait where the engine gives the name to nobody", async () => {
    const taken = Object.assign(new Error("conflict"), { statusCode: 409 });
    const host = hostWhere(() => Promise.reject(taken));
    await assert.rejects(acquireLock(host, OPTIONS), (error) => isSlipwayError(error, "service-locked"));
  });
});
