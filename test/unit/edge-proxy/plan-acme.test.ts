import assert from "node:assert/strict";
import { driftOf } from "../../../provider/edge-proxy/outputs";
import { planProxy } from "../../../provider/edge-proxy/plan";
import { acmeId, STORE_PATH } from "../../../provider/proxy/acme";
import { certificateStore, DEFAULT_CERTIFICATE } from "../../../provider/proxy/certificates";
import type { ObservedProxy } from "../../../provider/proxy/observed";
import { container, desired, folder, found, plan, secrets } from "../../support/edge-plan";

const DIRECTORY = "https://acme.test/dir";
const ID = acmeId(DIRECTORY);
const OTHER = "0123abcd";
const wanted = (directory = DIRECTORY) =>
  desired({ tls: { acme: { email: "admin@example.com", directory } } });

/** As it should be; `more` are further certificates. */
function settled(more: readonly string[] = [], placeholders: readonly string[] = []): ObservedProxy {
  const seen = folder(wanted());
  const own = [DEFAULT_CERTIFICATE, `acme/${ID}.key`, `acme/${ID}.map`, `certs/60-example.com.${ID}.pem`];
  const digests = new Map([...seen.digests, ...[...own, ...more].map((path) => [path, "digest"] as const)]);
  const files = new Map(seen.files).set(STORE_PATH, certificateStore(["example.com"], ID) ?? "");
  return { ...seen, digests, files, placeholders, keeper: true };
}

describe("planProxy with ACME", () => {
  it("must be empty when all is as it should be, also while a certificate is awaited", () => {
    assert.equal(plan(wanted(), found(wanted(), { folder: settled() })), "");
    assert.equal(plan(wanted(), found(wanted(), { folder: settled([], ["example.com"]) })), "");
  });

  it("must make an account and what is shown meanwhile, and let the host save what comes", () => {
    const port = desired({ tls: "internal" });
    const seen = found(port, { folder: { ...folder(port), tls: port.tls } });
    const old = `certs/50-web.12345678.pem`;
    const digests = new Map([
      [DEFAULT_CERTIFICATE, "x"],
      [old, "x"],
    ]);
    assert.equal(
      plan(wanted(), { ...seen, folder: { ...folder(port), digests } }),
      `write and reload acme/${ID}.key, acme/${ID}.map, acme/keep, certs/60-example.com.${ID}.pem, conf/00-proxy.cfg, -${old} (conf/00-proxy.cfg changed)
verify edge (it has to answer)
install the timer for certificates of edge (the host saves new certificates)`,
    );
  });

  it("must name no key and no content", () => {
    const bare = found(wanted(), { live: undefined, folder: undefined });
    assert.doesNotMatch(plan(wanted(), bare), /SECRET|PEM/);
    const files = planProxy(wanted(), bare, secrets).flatMap(({ operation }) =>
      operation.kind === "write-files" ? [...operation.change.files.keys()] : [],
    );
    assert.deepEqual(files.sort(), [
      `acme/${ID}.key`,
      `acme/${ID}.map`,
      "acme/keep",
      DEFAULT_CERTIFICATE,
      "conf/00-proxy.cfg",
    ]);
  });

  it("must keep what was shown before until there is something better", () => {
    const given = "certs/10-000-0123456789ab.pem";
    const another = `certs/60-example.com.${OTHER}.pem`;
    const awaited = settled([given, another], ["example.com"]);
    assert.equal(plan(wanted(), found(wanted(), { folder: awaited })), "");
    assert.match(
      plan(wanted(), found(wanted(), { folder: settled([given, another]) })),
      new RegExp(`^write and reload -certs/10-000\\.pem, -${another} \\(missing\\)`),
    );
  });

  it("must take away certificates of names that no route has, and mend the list", () => {
    const gone = `certs/60-gone.example.${ID}.pem`;
    assert.match(plan(wanted(), found(wanted(), { folder: settled([gone]) })), new RegExp(`reload -${gone}`));
    const seen = settled();
    const edited = { ...seen, files: new Map(seen.files).set(STORE_PATH, "crt-store\n") };
    assert.match(plan(wanted(), found(wanted(), { folder: edited })), /^write and reload the map of routes/);
  });

  it("must stop the timer before it takes its program, when ACME goes", () => {
    const now = desired({ tls: "internal" });
    const lines = plan(now, found(now, { live: container(now), folder: settled() })).split("\n");
    assert.equal(lines[0], "remove the timer for certificates of edge (no certificates to save)");
    assert.match(
      lines[1] ?? "",
      new RegExp(`certs/50-web.*-acme/keep.*-certs/60-example\\.com\\.${ID}\\.pem`),
    );
  });

  it("must see in a refresh what has no certificate yet, and a timer that is gone", () => {
    assert.deepEqual(driftOf(wanted(), found(wanted(), { folder: settled() })), []);
    const left = { ...settled([], ["example.com"]), keeper: false };
    assert.deepEqual(driftOf(wanted(), found(wanted(), { folder: left })), [
      "the timer that saves its certificates is gone",
      "no certificate yet for example.com",
    ]);
  });
});
