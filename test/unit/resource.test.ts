import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { DockerHost, HealthPolicy, RemoteImage, RollingContainer } from "../../provider/index";
import { NO_SALT, providerText } from "../../provider/resource";
import { registrations } from "../support/pulumi-mocks";

const connection = { host: "192.0.2.1", user: "deploy", privateKey: "KEY" };

describe("providerText", () => {
  it("must be the constant that is in every state", () => {
    assert.equal(
      providerText("DockerHost"),
      'exports.handler = () => require("pulumi-slipway/runtime").DockerHost;',
    );
    assert.ok(providerText("RollingContainer").length < 150);
  });
});

describe("resources", () => {
  it("must register with the provider, the URN, a secret salt and secret credentials", async () => {
    const seen = await registrations(() => {
      new DockerHost("web1", { connection, dockerVersion: "28.x" });
    });
    assert.deepEqual(seen.get("web1"), {
      type: "pulumi-nodejs:dynamic/slipway:DockerHost",
      name: "web1",
      inputs: {
        connection: { host: "192.0.2.1", user: "deploy", privateKey: { secret: "KEY" } },
        dockerVersion: "28.x",
        __provider: providerText("DockerHost"),
        __urn: "urn:pulumi:stack::project::pulumi-nodejs:dynamic/slipway:DockerHost::web1",
        __salt: { secret: NO_SALT },
      },
      dependsOn: [],
    });
  });

  it("must make a bastion's credentials secret, at any depth and inside an Output", async () => {
    const seen = await registrations(() => {
      const proxy = { host: "192.0.2.2", password: "P", proxy: { host: "192.0.2.3", sudoPassword: "S" } };
      new DockerHost("a", { connection: { host: "h", proxy }, dockerVersion: "28.x" });
      new DockerHost("b", { connection: pulumi.output({ host: "h", proxy }), dockerVersion: "28.x" });
    });
    assert.deepEqual(seen.get("a")?.inputs.connection, {
      host: "h",
      proxy: {
        host: "192.0.2.2",
        password: { secret: "P" },
        proxy: { host: "192.0.2.3", sudoPassword: { secret: "S" } },
      },
    });
    assert.deepEqual(seen.get("b")?.inputs.connection, seen.get("a")?.inputs.connection);
  });

  it("must unwrap a DockerHost to its connection wherever it stands", async () => {
    const seen = await registrations(() => {
      const host = new DockerHost("web1", { connection: { host: "h" }, dockerVersion: "28.x" });
      new RemoteImage("one", { host, context: "." });
      new RemoteImage("list", { hosts: [host, { host: "other", password: "P" }], context: "." });
      new RemoteImage("output", { hosts: pulumi.output([host]), context: "." });
      new RemoteImage("promise", { host: Promise.resolve(host), context: "." });
    });
    const inputs = (name: string) => seen.get(name)?.inputs;
    assert.deepEqual(inputs("one")?.host, { host: "h" });
    assert.deepEqual(inputs("list")?.hosts, [{ host: "h" }, { host: "other", password: { secret: "P" } }]);
    assert.deepEqual(inputs("output")?.hosts, [{ host: "h" }]);
    assert.deepEqual(inputs("promise")?.host, { host: "h" });
  });

  it("must know a host's connection in preview, where the host does not exist yet", async () => {
    const seen = await registrations(() => {
      const host = new DockerHost("web1", { connection, dockerVersion: "28.x" });
      new RollingContainer("web", { hosts: [host], image: "web:1" });
    }, true);
    assert.deepEqual(seen.get("web")?.inputs.hosts, [
      { secret: { host: "192.0.2.1", user: "deploy", privateKey: { secret: "KEY" } } },
    ]);
  });

  it("must depend on what was unwrapped", async () => {
    const seen = await registrations(() => {
      const host = new DockerHost("web1", { connection, dockerVersion: "28.x" });
      const web = new RollingContainer("web", { hosts: pulumi.output([host]), image: "web:1" });
      new HealthPolicy("health", { hosts: [connection], services: [web] });
    });
    assert.deepEqual(seen.get("web")?.dependsOn, ["web1"]);
    // the policy runs after its services; an Output carries what it was made from, too
    assert.ok(seen.get("health")?.dependsOn.includes("web"));
  });

  it("must give services by name, and always a name", async () => {
    const seen = await registrations(() => {
      const web = new RollingContainer("web", { hosts: [connection], image: "web:1" });
      const api = new RollingContainer("api-resource", { hosts: [connection], image: "api:1", name: "api" });
      new HealthPolicy("health", { hosts: [connection], services: [web, api, "by-hand"] });
      new RemoteImage("image", { host: connection, context: "." });
    });
    assert.equal(seen.get("web")?.inputs.name, "web");
    assert.equal(seen.get("api-resource")?.inputs.name, "api");
    assert.equal(seen.get("image")?.inputs.name, "image");
    assert.equal(seen.get("health")?.inputs.name, "health");
    assert.deepEqual(seen.get("health")?.inputs.services, ["web", "api", "by-hand"]);
  });

  it("must make secret as a whole what may hold secrets, and leave env as the caller marked it", async () => {
    const seen = await registrations(() => {
      const registries = [{ address: "r.example", username: "u", password: "p" }];
      new RemoteImage("image", { host: connection, context: ".", secrets: { npm: "T" }, registries });
      new RollingContainer("web", {
        hosts: [connection],
        image: "web:1",
        registries: [{ address: "r.example", username: "u", password: "p" }],
        env: { PLAIN: "1", HIDDEN: pulumi.secret("2") },
      });
    });
    assert.deepEqual(seen.get("image")?.inputs.secrets, { secret: { npm: "T" } });
    assert.deepEqual(Object.keys(seen.get("image")?.inputs.registries as object), ["secret"]);
    assert.deepEqual(Object.keys(seen.get("web")?.inputs.registries as object), ["secret"]);
    assert.deepEqual(seen.get("web")?.inputs.env, { PLAIN: "1", HIDDEN: { secret: "2" } });
  });

  it("must ask for a random salt where the program marked a value that may be hashed", async () => {
    const seen = await registrations(() => {
      const common = { hosts: [connection], image: "web:1" };
      new RollingContainer("plain", { ...common, env: { A: "1" } });
      new RollingContainer("login", {
        ...common,
        registries: [{ address: "r", username: "u", password: "p" }],
      });
      new RollingContainer("env", { ...common, env: { A: pulumi.secret("1") } });
      new RollingContainer("nested", { ...common, env: pulumi.output({ A: pulumi.secret("1") }) });
      new RemoteImage("arg", { host: connection, context: ".", buildArgs: { T: pulumi.secret("1") } });
    });
    const salts = [...seen].map(([name, { inputs }]) => [name, inputs.__salt]);
    assert.deepEqual(Object.fromEntries(salts), {
      plain: { secret: NO_SALT },
      login: { secret: NO_SALT },
      env: { secret: "" },
      nested: { secret: "" },
      arg: { secret: "" },
    });
  });

  it("must name the URN under a component as the engine does", async () => {
    const seen = await registrations(() => {
      const parent = new pulumi.ComponentResource("my:component:Site", "site");
      new DockerHost("web1", { connection, dockerVersion: "28.x" }, { parent });
    });
    assert.equal(
      seen.get("web1")?.inputs.__urn,
      "urn:pulumi:stack::project::my:component:Site$pulumi-nodejs:dynamic/slipway:DockerHost::web1",
    );
  });
});
