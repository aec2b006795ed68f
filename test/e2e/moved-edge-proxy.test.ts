import assert from "node:assert/strict";
import { edgeProxyHandler as handler } from "../../provider/edge-proxy/handler";
import type { Properties } from "../../provider/handler";
import { rollingContainerHandler } from "../../provider/rolling-container/handler";
import type { LabConnection } from "../lab/lab-host";
import { type EdgeSite, startEdgeSite } from "../support/edge-site";
import { handlerContext } from "../support/handler-context";
import { buildPage } from "../support/web-host";

/** One machine by two addresses. */
describe("an EdgeProxy whose host moved", function () {
  this.timeout(300_000);
  let site: EdgeSite;
  let news: Properties;

  before(async () => {
    site = await startEdgeSite(["trixie"]);
    await buildPage(site.host, "v1");
  });
  after(() => site.remove());

  const published = (): LabConnection => site.host.connection();
  const internal = (): LabConnection => ({ ...published(), host: site.host.internalAddress, port: 22 });
  const proxyOn = (host: LabConnection): Promise<Properties> => site.checked(site.inputs({ host }));
  const serviceOn = async (host: LabConnection, { ref }: Properties): Promise<Properties> => {
    const given = {
      ...{ name: "web", hosts: [host], image: "page:v1", __salt: "00" },
      route: { proxy: ref, hosts: ["example.com"], port: 3000 },
      healthcheck: { tcp: { port: 3000 } },
      update: { healthyDeadline: "8s", minHealthyTime: "1s" },
    };
    const { inputs, failures } = await rollingContainerHandler.check({}, given, handlerContext());
    assert.deepEqual(failures, []);
    return inputs;
  };
  const containers = (): Promise<string> =>
    site.host.must(["docker", "ps", "-a", "--no-trunc", "--format", "{{.ID}} {{.Names}}"]);

  it("must keep the proxy and its routes on the machine that its replacement has under another address", async () => {
    const context = site.context({ urn: "edge" });
    const { outputs: olds } = await handler.create(await proxyOn(published()), context);
    const created = await rollingContainerHandler.create(
      await serviceOn(published(), olds),
      handlerContext(),
    );
    const before = await containers();
    assert.equal(await site.body("/", "example.com"), "200 v1");

    const inputs = await proxyOn(internal());
    assert.deepEqual((await handler.diff("edge", olds, inputs, context)).replaces, ["host"]);
    news = (await handler.create(inputs, context)).outputs;
    const moved = await serviceOn(internal(), news);
    const web = await rollingContainerHandler.update("web", created.outputs, moved, handlerContext());
    await handler.delete("edge", olds, context);

    assert.match(site.said.join("\n"), /"edge" stays on root@127\.0\.0\.1:\d+: .*:22 is the same machine/);
    assert.deepEqual([await site.body("/", "example.com"), await containers()], ["200 v1", before]);
    const seen = await handler.read("edge", news, context);
    assert.deepEqual([seen?.outputs.drift, seen?.outputs.machineIds], [[], news.machineIds]);
    await rollingContainerHandler.delete("web", web, handlerContext());
  });

  it("must be removed when no other has it", async () => {
    await handler.delete("edge", news, site.context({ urn: "edge" }));
    assert.equal(await containers(), "");
  });
});
