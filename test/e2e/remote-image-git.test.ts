import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { HandlerContext, Properties } from "../../provider/handler";
import { remoteImageHandler as handler } from "../../provider/remote-image/handler";
import { busyboxPath } from "../lab/busybox";
import type { LabHost } from "../lab/lab-host";
import { type GitStage, gitStage } from "../support/git-check";
import { handlerContext } from "../support/handler-context";
import { startImageHost } from "../support/image-host";

const TOKEN = "canary-2209-git-token";
const DOCKERFILE = `FROM scratch
COPY busybox /bin/busybox
COPY page /page
COPY lib /lib
CMD ["/bin/busybox", "sleep", "1000"]
`;

describe("RemoteImage of a repository", () => {
  let host: LabHost;
  let stage: GitStage;
  const context: HandlerContext = {
    ...handlerContext(),
    urn: "urn:pulumi:dev::shop::slipway:RemoteImage::web",
    signal: AbortSignal.timeout(400_000),
  };

  before(async function () {
    this.timeout(300_000);
    host = await startImageHost({ engine: "26.1.5", user: "root" });
    stage = await gitStage();
  });

  after(async () => {
    await stage.end();
    await host.remove();
  });

  const inputsOf = async (olds: Properties): Promise<Properties> => {
    const news = {
      host: host.connection(),
      name: "web",
      context: `${stage.site.https}/app.git#main:web`,
      gitAuth: { token: TOKEN },
    };
    const { inputs, failures } = await handler.check(olds, news, context);
    assert.deepEqual(failures, []);
    return inputs;
  };
  const page = (ref: unknown): Promise<string> =>
    host.must(["docker", "run", "--rm", String(ref), "/bin/busybox", "cat", "/page", "/lib/words"]);

  it("must build a branch with its submodule, build again when it moved, and leave no token on the host", async () => {
    const { site, app } = stage;
    const lib = site.repository("lib").commit({ files: { words: "of a submodule\n" } });
    const busybox = readFileSync(await busyboxPath());
    const modules = '[submodule "lib"]\n\tpath = web/lib\n\turl = ../lib.git\n';
    const first = app.commit({
      files: { "web/Dockerfile": DOCKERFILE, "web/page": "v1\n", ".gitmodules": modules },
      programs: { "web/busybox": busybox },
      submodules: { "web/lib": lib },
    });
    site.wantLogin("x-access-token", TOKEN);
    const inputs = await inputsOf({});
    const { id, outputs } = await handler.create(inputs, context);
    assert.equal(outputs.commit, first);
    assert.equal(await page(outputs.ref), "v1\nof a submodule");

    assert.deepEqual(await inputsOf(inputs), inputs);
    app.commit({ files: { "web/page": "v2\n" }, submodules: { "web/lib": lib } });
    const moved = await inputsOf(inputs);
    assert.notEqual(moved.ref, inputs.ref);
    const updated = await handler.update(id, outputs, moved, context);
    assert.equal(await page(updated.ref), "v2\nof a submodule");

    const found = await host.must([
      "sh",
      "-c",
      `grep -rlaE '${TOKEN}|${Buffer.from(TOKEN).toString("base64").slice(0, 20)}|app[.]git' /root /tmp /var/lib/docker /var/log /run 2>/dev/null || true`,
    ]);
    assert.equal(found.trim(), "");
    await handler.delete(id, updated, context);
  }).timeout(400_000);
});
