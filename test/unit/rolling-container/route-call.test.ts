import assert from "node:assert/strict";
import type { CommandOutcome } from "../../../provider/host/session";
import { silentLog } from "../../../provider/log";
import { formatRouteFile } from "../../../provider/proxy/route-file";
import type { HostAccess } from "../../../provider/rolling-container/host-access";
import { RouteCalls } from "../../../provider/rolling-container/route-call";
import { FakeEngine } from "../../support/fake-engine";

const ID = "0123456789ab".padEnd(64, "0");
const FILE = formatRouteFile({
  service: "web",
  protocol: "http",
  hosts: ["shop.example.com"],
  path: "/",
  port: 3000,
  listen: 0,
  places: 4,
  servers: [{ place: 1, container: ID.slice(0, 12) }],
});

/** A host with the proxy's folder, whose container does not run. */
function silentHost(warnings: string[]): HostAccess {
  const access = new FakeEngine().access();
  const stdout = `@slipway file conf/50-web.cfg\n${FILE}\n@slipway digests\n@slipway silent\n`;
  const exec = (): Promise<CommandOutcome> =>
    Promise.resolve({ kind: "exited", code: 0, stdout, stderr: "" });
  const log = { ...silentLog, warn: (text: string): void => void warnings.push(text) };
  return { ...access, log, session: { ...access.session, exec } };
}

describe("RouteCalls", () => {
  it("must say once that nobody gets to the service, where the proxy does not run", async () => {
    const warnings: string[] = [];
    const host = silentHost(warnings);
    const calls = new RouteCalls();
    const place = { proxy: "edge", network: "slipway", service: "web" };
    const container = { name: "web", id: ID };
    await calls.call(host, { kind: "drain-server", place, container }, () => ID);
    await calls.call(host, { kind: "remove-server", place, container }, () => ID);
    assert.equal(warnings.length, 1);
    assert.match(
      String(warnings[0]),
      /: the proxy "edge" does not run, so that nobody gets to "web" by it\. pulumi up --refresh starts it$/,
    );
  });
});
