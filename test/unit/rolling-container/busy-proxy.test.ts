import assert from "node:assert/strict";
import type { CommandOutcome } from "../../../provider/host/session";
import { SHOW_SCRIPT } from "../../../provider/proxy/host-script";
import { executeSteps } from "../../../provider/rolling-container/execute";
import type { HostAccess } from "../../../provider/rolling-container/host-access";
import type { Step } from "../../../provider/rolling-container/operation";
import { rolloutError } from "../../../provider/rolling-container/rollout-error";
import { StepFailure } from "../../../provider/rolling-container/step-failure";
import { FakeEngine } from "../../support/fake-engine";
import { foundContainer, foundHost } from "../../support/rollout";

const HOLDER = "p/s of ann@laptop";

/** A host whose proxy somebody else is changing, for longer than is waited. */
function busyHost(engine: FakeEngine): HostAccess {
  const exited = (code: number, stdout: string, stderr = ""): CommandOutcome => ({
    kind: "exited",
    code,
    stdout,
    stderr,
  });
  const exec = (argv: readonly string[]): Promise<CommandOutcome> =>
    Promise.resolve(argv.includes(SHOW_SCRIPT) ? exited(0, "@slipway silent\n") : exited(75, "", HOLDER));
  const access = engine.access();
  return { ...access, session: { ...access.session, exec } };
}

describe("executeSteps, while the proxy is busy", () => {
  const web = { name: "web.next" };
  const place = { proxy: "edge", network: "slipway", service: "web" };
  const shape = {
    service: "web",
    protocol: "http",
    hosts: [],
    path: "/",
    port: 80,
    listen: 0,
    places: 4,
  } as const;
  const steps: readonly Step[] = [
    {
      operation: { kind: "create", container: web, options: {} },
      cause: "new",
      undo: [{ kind: "remove", container: web, volumes: true }],
    },
    {
      operation: { kind: "write-route", place, shape, servers: [web] },
      cause: "no route yet",
      undo: [{ kind: "ready-server", place, container: web }],
    },
  ];

  it("must take back what was done, but not the change that the proxy never took, and say whom it waits for", async () => {
    const engine = new FakeEngine();
    const failure = await executeSteps(busyHost(engine), steps, { deadlineMs: 600_000 }).catch(
      (error: unknown) => error,
    );
    assert.ok(failure instanceof StepFailure);
    assert.deepEqual(engine.calls, ["create web.next", "remove id-web.next"]);
    assert.equal(failure.undoFailure, undefined);
    const error = rolloutError({
      service: "web",
      revision: "bbbbbbbb",
      host: "root@host:22",
      error: failure,
      before: foundHost([foundContainer()]),
      others: "",
      backFailure: undefined,
    });
    assert.equal(error.code, "proxy-busy");
    assert.match(error.message, /p\/s of ann@laptop has been changing it all the time \(after 100s\)/);
    assert.match(error.message, /was not touched and serves on\. Run pulumi up again when that has ended\.$/);
  });
});
