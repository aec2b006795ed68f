import assert from "node:assert/strict";
import type Docker from "dockerode";
import { isSlipwayError } from "../../../provider/errors";
import type { HostSession } from "../../../provider/host/session";
import { silentLog } from "../../../provider/log";
import type { HostAccess } from "../../../provider/rolling-container/host-access";
import { lookAtImage } from "../../../provider/rolling-container/image";
import { IdleClock } from "../../support/idle-clock";

function withEngine(inspect: () => Promise<unknown>): HostAccess {
  return {
    session: { target: "root@host:22" } as unknown as HostSession,
    docker: { getImage: () => ({ inspect }) } as unknown as Docker,
    clock: new IdleClock(),
    random: () => 0.5,
    log: silentLog,
    signal: new AbortController().signal,
    machineId: "",
  };
}

describe("lookAtImage", () => {
  it("must tell an image that is not there from an engine that fails", async () => {
    const fails = (statusCode: number) =>
      withEngine(() => Promise.reject(Object.assign(new Error("no"), { statusCode })));
    assert.deepEqual(
      await lookAtImage(
        withEngine(() => Promise.resolve({ Id: "a" })),
        "web:2",
      ),
      { Id: "a" },
    );
    assert.equal(await lookAtImage(fails(404), "web:2"), undefined);
    await assert.rejects(lookAtImage(fails(500), "web:2"), /no/);
  });

  it("must wait for an engine that hangs for a limited time", () =>
    assert.rejects(
      lookAtImage(
        withEngine(() => new Promise(() => {})),
        "web:2",
      ),
      (error) => {
        assert.ok(isSlipwayError(error, "engine-unreachable"), String(error));
        assert.match(
          error.message,
          /^looking for web:2 on root@host:22: .*\(waited 1m\)\. The rollout was not begun/,
        );
        return true;
      },
    ));
});
