import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { labDemoHost } from "../demo/lab-demo-host";
import { type Stage, STEPS } from "../demo/steps";
import type { LabHost, LabUser, Suite } from "../lab/lab-host";
import { PulumiStack, REPOSITORY } from "../support/pulumi-project";

const CASES: readonly (readonly [Suite, LabUser])[] = [
  ["bookworm", "root"],
  ["bookworm", "deploy"],
  ["trixie", "root"],
  ["trixie", "deploy"],
];

for (const [suite, user] of CASES) {
  describe(`the main job on ${suite} as ${user}`, () => {
    let stage: Stage & { readonly lab: LabHost };
    let output = "";

    before(async () => {
      const host = await labDemoHost(suite, user);
      const stack = new PulumiStack(REPOSITORY, `e2e-${randomBytes(3).toString("hex")}`);
      stage = { host, lab: host.lab, stack, show: (text) => (output += text), containerId: "" };
      await stack.init();
      await stack.configure({ version: "v1", ...host.config });
    });

    after(async () => {
      await stage.stack.dispose();
      await stage.host.dispose();
    });

    for (const step of STEPS) {
      it(`must hold: ${step.name}`, async () => {
        output = "";
        const mark = (await stage.lab.logins()).length;
        try {
          await step.run(stage);
        } catch (error) {
          // the CLI's own words are what one needs to find the cause
          throw new Error(`${error instanceof Error ? error.message : String(error)}\n${output}`, {
            cause: error,
          });
        }
        const logins = (await stage.lab.loginsSince(mark)).length;
        // one provider process an operation; none of the steps has more than one operation
        assert.ok(logins <= 1, `${logins} SSH logins in one operation`);
      });
    }
  });
}
