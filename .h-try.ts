import { spawnSync } from "node:child_process";
import { apk } from "./provider/docker-host/packages/apk";
import { dnf } from "./provider/docker-host/packages/dnf";
import { LOOK } from "./provider/docker-host/packages/families";
import { parseLook } from "./provider/docker-host/look";
const [, , host = "", kind = ""] = process.argv;
const verbose = process.env.V === "1";
const run0 = (argv: readonly string[], input?: string) => {
  const r = spawnSync("docker", ["exec", "-i", host, ...argv], { input, encoding: "utf8" });
  if (verbose || r.status !== 0) console.log(`  $ ${argv.join(" ").slice(0, 200)} -> ${r.status}\n${(r.stdout + r.stderr).slice(-1500)}`);
  return { kind: "exited" as const, code: r.status ?? 1, stdout: r.stdout, stderr: r.stderr };
};
const session: any = {
  target: host,
  redact: (x: string) => x,
  exec: async (argv: string[]) => run0(argv),
  script: async (text: string, args: string[] = []) => run0(["/bin/sh", "-s", "--", ...args], text),
  run: async (argv: string[]) => { const o = run0(argv); if (o.code !== 0) throw new Error(`${argv.join(" ")}: ${o.code}`); return o.stdout; },
  writeFile: async (path: string, text: string, o: any) => { run0(["sh", "-c", 'mkdir -p "$(dirname "$1")"; cat >"$1"', "x", path], text); },
};
const run = { signal: new AbortController().signal };
const look = (url = "") => {
  const t = Date.now();
  const r = run0(["/bin/sh", "-s", "--", url], LOOK);
  const p = parseLook(r.stdout)?.packages;
  console.log("look", Date.now() - t, "ms", JSON.stringify({ i: p?.installed, h: p?.held, x: p?.interrupted, m: p?.missingTools, k: p?.keyFingerprints, o: p?.otherSourceFiles, s: p?.sourceFile?.length, u: parseLook(r.stdout)?.unpackaged }), r.stderr.slice(0, 500));
};
const say = async (what: string, f: () => Promise<unknown>) => {
  const t = Date.now();
  try { const r = await f(); console.log(what, "ok", Date.now() - t, "ms", r === undefined ? "" : JSON.stringify(r)); }
  catch (e) { console.log(what, "FAILED", Date.now() - t, "ms", (e as Error).message.slice(0, 700)); }
};
async function main() {
  const f = kind === "dnf" ? dnf : apk;
  const engine = kind === "dnf" ? "docker-ce" : "docker-engine";
  const cli = kind === "dnf" ? "docker-ce-cli" : "docker-cli";
  const url = kind === "dnf" ? "file:///srv/repo" : "/srv/alp";
  const fp = (process.env.FP ?? "").toUpperCase();
  const facts: any = { os: { id: "rocky", idLike: ["rhel"], versionId: "9.4", ubuntuCodename: "", debianCodename: "" }, architecture: "x86_64" };
  const key = (n: string) => kind === "dnf" ? `file:///srv/repo/${n}.asc` : `file:///srv/${n}.rsa.pub`;
  const src = (n: string, u = url): any => ({ kind: "custom", url: u, components: [], key: key(n), keyFingerprint: fp, packages: [engine, cli] });
  const repo = (n: string, u = url) => f.repository(src(n, u), facts)!;
  look(url);
  await say("other key", () => f.addRepository(session, repo(kind === "dnf" ? "other" : "lab-2"), run));
  await say("nowhere", () => f.addRepository(session, repo(kind === "dnf" ? "right" : "lab-1", kind === "dnf" ? "file:///srv/nowhere" : "/srv/nowhere"), run));
  look(url);
  await say("add", () => f.addRepository(session, repo(kind === "dnf" ? "right" : "lab-1"), run));
  await say("refresh", () => f.refresh(session, run));
  const offers = await f.offers(session, [engine, cli, "containerd.io", "containerd", "absent"], run.signal);
  console.log(JSON.stringify(offers));
  const at = (v: string) => [engine, cli].map((name) => ({ name, version: offers.find((o) => o.name === name && o.version.includes(v))!.version }));
  await say("install 26", () => f.install(session, { install: at("26.1"), remove: [], allowDowngrade: false }, run));
  look(url);
  await say("hold", () => f.hold(session, [engine, cli, "containerd.io", "runc", "containerd"], run));
  look(url);
  run0(kind === "dnf" ? ["dnf", "-y", "upgrade"] : ["apk", "upgrade"]);
  look(url);
  await say("upgrade", () => f.install(session, { install: at("28."), remove: [], allowDowngrade: false }, run));
  look(url);
  await say("hold", () => f.hold(session, [engine, cli], run));
  look(url);
  await say("downgrade", () => f.install(session, { install: at("26.1"), remove: [], allowDowngrade: true }, run));
  await say("hold", () => f.hold(session, [engine, cli], run));
  look(url);
  await say("absent", () => f.install(session, { install: [{ name: engine, version: kind === "dnf" ? "3:99.0.0-1.el9" : "99.0.0-r0" }], remove: [], allowDowngrade: true }, run));
  look(url);
  await say("repair", () => f.repair(session, run));
  if (kind === "dnf") { run0(["sh", "-c", "rpm -i --force --nodeps --justdb /srv/repo/noarch/docker-ce-28.5.1*.rpm"]); look(url); await say("repair", () => f.repair(session, run)); look(url); }
  await say("unhold", () => f.unhold(session, [engine, cli], run));
  look(url);
  await say("unhold again", () => f.unhold(session, [engine, cli], run));
  await say("swap", () => f.install(session, { install: [at("28.")[1]!], remove: [engine], allowDowngrade: false }, run));
  look(url);
  await say("remove", () => f.remove(session, [cli], run));
  await say("remove source", () => f.removeRepository(session, run));
  look(url);
}
void main();
