import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { REPOSITORY } from "./pulumi-project";

/**
 * The provider process of an EngineProject: the built adapter around a handler that reaches no host. It does what
 * `behaviour.json` says, and notes each call in `calls.txt`.
 */
const RUNTIME = `
const fs = require("node:fs");
const path = require("node:path");
const dist = ${JSON.stringify(path.join(REPOSITORY, "dist"))};
const { dynamicProvider } = require(dist + "/pulumi/adapter.js");
const { sendMessages } = require(dist + "/pulumi/engine-log.js");
const { lifetimeOf } = require(dist + "/pulumi/lifetime.js");
const { PartialFailure } = require(dist + "/handler.js");
const { SlipwayError } = require(dist + "/errors.js");

const root = path.join(__dirname, "..", "..");
const behaviour = () => JSON.parse(fs.readFileSync(root + "/behaviour.json", "utf8"));
const note = (line) => fs.appendFileSync(root + "/calls.txt", line + "\\n");
const refuse = (what) => new SlipwayError({ code: "rollout-failed", what, why: "it does not work" });
const may = (call, name) => {
  note(call + " " + name + " " + process.pid);
  if (behaviour().fail === call) throw refuse(call + " of " + name);
};
const handler = {
  async check(olds, news, { name }) {
    may("check", name);
    return { inputs: { ...news, ref: "known-in-preview" }, failures: [] };
  },
  async diff(id, olds, news, { name }) {
    may("diff", name);
    return { changes: behaviour().drift === true };
  },
  async create(inputs, { name, log }) {
    may("create", name);
    log.progress("a live line");
    log.keep("a line to keep");
    log.debug("a remote command");
    const outputs = { ...inputs, health: "healthy", targets: ["root@h:22"], hostKeys: {} };
    if (behaviour().partial) throw new PartialFailure(name, { ...outputs, health: "unhealthy" }, refuse("create"));
    return { id: name, outputs };
  },
  async update(id, olds, news, { name }) {
    may("update", name);
    return { ...news, health: "healthy", targets: ["root@h:22"], hostKeys: {} };
  },
  async read(id, outputs, { name }) {
    may("read", name);
    return behaviour().gone === true ? undefined : { id, outputs };
  },
  async delete(id, outputs, { name }) {
    may("delete", name);
  },
};
const shared = { send: sendMessages(process.argv), lifetime: lifetimeOf(process) };
for (const kind of ["DockerHost", "RemoteImage", "RollingContainer", "HealthPolicy"]) {
  exports[kind] = dynamicProvider(handler, shared);
}
`;

/** What the handler of an EngineProject is to do. */
export interface Behaviour {
  /** The call that throws. */
  readonly fail?: "check" | "diff" | "create" | "update" | "read" | "delete";
  /** create ends in a partial failure. */
  readonly partial?: boolean;
  /** diff sees drift in the outputs. */
  readonly drift?: boolean;
  /** read finds nothing. */
  readonly gone?: boolean;
}

/** A Pulumi project whose resources and provider are the built package's, but for the handlers, which reach no host. */
export class EngineProject {
  readonly folder = mkdtempSync(path.join(tmpdir(), "slipway-engine-"));

  constructor() {
    const ours = path.join(this.folder, "node_modules", "pulumi-slipway");
    mkdirSync(ours, { recursive: true });
    symlinkSync(
      path.join(REPOSITORY, "node_modules", "@pulumi"),
      path.join(this.folder, "node_modules", "@pulumi"),
    );
    writeFileSync(path.join(this.folder, "Pulumi.yaml"), "name: engine\nruntime: nodejs\n");
    writeFileSync(path.join(this.folder, "package.json"), '{ "name": "engine", "main": "index.js" }');
    writeFileSync(path.join(ours, "package.json"), '{ "name": "pulumi-slipway", "main": "index.js" }');
    const index = path.join(REPOSITORY, "dist", "index.js");
    writeFileSync(path.join(ours, "index.js"), `module.exports = require(${JSON.stringify(index)});`);
    writeFileSync(path.join(ours, "runtime.js"), RUNTIME);
    this.behave({});
  }

  /** Replaces the program; `pulumi` and `slipway` are there. */
  write(program: string): void {
    const before = 'const pulumi = require("@pulumi/pulumi");\nconst slipway = require("pulumi-slipway");\n';
    writeFileSync(path.join(this.folder, "index.js"), before + program);
  }

  behave(behaviour: Behaviour): void {
    writeFileSync(path.join(this.folder, "behaviour.json"), JSON.stringify(behaviour));
  }

  /** The calls since the last time, as `call name pid`. */
  takeCalls(): readonly string[] {
    const file = path.join(this.folder, "calls.txt");
    const lines = existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
    rmSync(file, { force: true });
    return lines;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
