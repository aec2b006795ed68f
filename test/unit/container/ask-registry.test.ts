import assert from "node:assert/strict";
import type Docker from "dockerode";
import { createServer, type RequestListener, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import {
  askRegistry,
  parseChallenge,
  retryAfterMs,
  type RegistryUse,
} from "../../../provider/container/ask-registry";
import type { RegistryLogin } from "../../../provider/container/registry-login";
import type { HostSession } from "../../../provider/host/session";

const NOW = Date.parse("2026-01-01T00:00:00Z");

describe("retryAfterMs", () => {
  it("must read seconds and dates, and nothing else", () => {
    assert.equal(retryAfterMs("3", NOW), 3_000);
    assert.equal(retryAfterMs("Thu, 01 Jan 2026 00:00:05 GMT", NOW), 5_000);
    assert.equal(retryAfterMs("Wed, 31 Dec 2025 00:00:00 GMT", NOW), 0);
    assert.equal(retryAfterMs("soon", NOW), undefined);
    assert.equal(retryAfterMs(undefined, NOW), undefined);
  });
});

describe("parseChallenge", () => {
  it("must read who gives tokens, commas in a value included", () => {
    const { scheme, words } = parseChallenge('Bearer realm="https://a/t",service="s",scope="r:x:pull,push"');
    assert.equal(scheme, "bearer");
    assert.deepEqual(words, { realm: "https://a/t", service: "s", scope: "r:x:pull,push" });
    assert.equal(parseChallenge('Basic realm="x"').scheme, "basic");
  });
});

describe("askRegistry", () => {
  let server: Server | undefined;
  afterEach(() => new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve())));

  /** Asks a registry that answers so; `plain`: the engine speaks to it without TLS. */
  async function ask(
    answer: RequestListener,
    more: { readonly use?: RegistryUse; readonly login?: RegistryLogin; readonly plain?: boolean } = {},
  ) {
    const own = createServer(answer);
    server = own;
    await new Promise<void>((resolve) => own.listen(0, "127.0.0.1", resolve));
    const { port } = own.address() as AddressInfo;
    const session = {
      forward: (host: string, at: number) => {
        assert.equal(host, "10.9.8.7");
        return Promise.resolve(connect(at, "127.0.0.1"));
      },
    } as unknown as HostSession;
    const cidrs = more.plain === false ? [] : ["10.0.0.0/8"];
    const docker = {
      info: () => Promise.resolve({ RegistryConfig: { IndexConfigs: {}, InsecureRegistryCIDRs: cidrs } }),
    } as unknown as Docker;
    const access = { session, docker, signal: AbortSignal.timeout(10_000), wall: () => NOW };
    return askRegistry(access, `10.9.8.7:${port}/team/web:1`, more.use ?? "pull", more.login);
  }

  it("must ask for the very image, and hear of Retry-After", async () => {
    const asked: string[] = [];
    const answer = await ask((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      response.writeHead(429, { "retry-after": "4" }).end();
    });
    assert.deepEqual(answer, { status: 429, retryAfterMs: 4_000 });
    assert.deepEqual(asked, ["HEAD /v2/team/web/manifests/1"]);
  });

  it("must log in where the registry wants that, once", async () => {
    const seen: unknown[] = [];
    const login = { address: "10.9.8.7", username: "bot", password: "pass" };
    const answer = await ask(
      (request, response) => {
        seen.push(request.headers.authorization);
        if (request.headers.authorization === undefined) {
          response.writeHead(401, { "www-authenticate": 'Basic realm="r"' }).end();
        } else response.writeHead(200).end();
      },
      { login },
    );
    assert.equal(answer?.status, 200);
    assert.deepEqual(seen, [undefined, `Basic ${Buffer.from("bot:pass").toString("base64")}`]);
  });

  it("must get a token where the registry has somebody who gives them", async () => {
    const answer = await ask((request, response) => {
      const url = new URL(request.url ?? "", "http://r");
      if (url.pathname === "/token") {
        assert.equal(url.searchParams.get("scope"), "repository:team/web:pull");
        response.end(JSON.stringify({ token: "t0k" }));
      } else if (request.headers.authorization === "Bearer t0k") response.writeHead(404).end();
      else response.writeHead(401, { "www-authenticate": 'Bearer realm="/token",service="s"' }).end();
    });
    assert.equal(answer?.status, 404);
  });

  it("must ask for the right to push, and leave no upload behind", async () => {
    const asked: string[] = [];
    const answer = await ask(
      (request, response) => {
        asked.push(`${request.method} ${request.url}`);
        if (request.method === "POST") response.writeHead(202, { location: "/v2/team/web/blobs/uploads/7" });
        response.end();
      },
      { use: "push" },
    );
    assert.equal(answer?.status, 202);
    assert.deepEqual(asked, ["POST /v2/team/web/blobs/uploads/", "DELETE /v2/team/web/blobs/uploads/7"]);
  });

  it("must say nothing without TLS to whom the engine speaks with TLS", async () => {
    const asked: unknown[] = [];
    const answer = await ask((request) => void asked.push(request.url), { plain: false });
    assert.equal(answer, undefined);
    assert.deepEqual(asked, []);
  });
});
