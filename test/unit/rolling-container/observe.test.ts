import assert from "node:assert/strict";
import type Docker from "dockerode";
import { LABEL } from "../../../provider/container/labels";
import type { HostSession } from "../../../provider/host/session";
import { slotOf } from "../../../provider/rolling-container/found";
import { observeHost, observeService } from "../../../provider/rolling-container/observe";
import { recordedOwnership } from "../../../provider/rolling-container/outputs";

/** An engine with containers of the service `web`, by name, all labelled as of the stack `p/before`. */
function engineWith(...names: readonly string[]): Docker {
  const revision = (name: string): string => name.split(".")[1] ?? "bbbbbbbb";
  const docker = {
    listContainers: () => Promise.resolve(names.map((name) => ({ Id: `id-${name}`, Names: [`/${name}`] }))),
    getContainer: (id: string) => ({
      inspect: () => {
        const name = id.slice(3);
        const Labels = {
          [LABEL.service]: "web",
          [LABEL.stack]: "p/before",
          [LABEL.revision]: revision(name),
        };
        return Promise.resolve({ Id: id, Name: `/${name}`, Config: { Labels }, State: {}, HostConfig: {} });
      },
    }),
  };
  return docker as unknown as Docker;
}

describe("observeHost", () => {
  it("must ask for the engine's networks and for itself once, however many switches are looked at", async () => {
    const asked: string[] = [];
    const answer = (what: string, value: unknown) => () => {
      asked.push(what);
      return Promise.resolve(value);
    };
    const docker = {
      listContainers: () => Promise.resolve([]),
      listNetworks: answer("networks", []),
      listVolumes: answer("volumes", { Volumes: [] }),
      listImages: answer("images", []),
      info: answer("info", {}),
    };
    const outcome = { kind: "exited", code: 0, stdout: "rules 0\n", stderr: "" };
    const session = {
      target: "root@host:22",
      docker: () => Promise.resolve(docker),
      facts: () => Promise.resolve({ sudo: "root" }),
      ready: () => ({ run: answer("script", outcome) }),
    };
    const found = await observeHost(session as unknown as HostSession, {
      service: "web",
      stack: "p/before",
      recorded: recordedOwnership({}),
      ports: [],
      switches: ["web", "web-2"],
      signal: new AbortController().signal,
    });
    assert.deepEqual(Object.keys(found.switches ?? {}), ["web", "web-2"]);
    assert.deepEqual(asked.sort(), ["images", "info", "networks", "script", "script", "volumes"]);
  });
});

describe("observeService", () => {
  const docker = engineWith("web", "web.aaaaaaaa", "web.cccccccc");
  const kept = async (outputs: object): Promise<readonly string[]> => {
    const owner = { stack: "p/after", recorded: recordedOwnership({ ...outputs }) };
    return slotOf(await observeService(docker, "web", owner), 1).kept.map(({ name }) => name);
  };

  it("must know a live one by its recorded id, and kept ones by their recorded revisions, when the stack was renamed", async () => {
    const containers = [{ id: "id-web", state: "running" }];
    const owner = { stack: "p/after", recorded: recordedOwnership({ containers }) };
    assert.equal(slotOf(await observeService(docker, "web", owner), 1).live?.foreign, undefined);
    assert.deepEqual(await kept({ containers, previous: ["aaaaaaaa"] }), ["web.aaaaaaaa"]);
  });

  it("must take nothing of another stack for ours that the state does not name", async () => {
    assert.deepEqual(await kept({}), []);
    const owner = { stack: "p/after", recorded: recordedOwnership({ previous: ["bbbbbbbb"] }) };
    const { live } = slotOf(await observeService(docker, "web", owner), 1);
    assert.match(live?.foreign ?? "", /^the stack p\/before/);
  });
});
