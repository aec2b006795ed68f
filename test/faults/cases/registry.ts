import type { Properties } from "../../../provider/handler";
import { buildPage } from "../../support/web-host";
import type { FaultCase } from "../fault-case";
import { FaultyRegistry, type RegistryMood } from "../faulty-registry";
import { judge } from "../oracle";
import { Service } from "../service";
import type { Site } from "../site";
import { BRIDGED } from "../way";
import { withLines } from "../with-lines";

/** A registry that does not do what it should. */
interface Trouble {
  readonly name: string;
  readonly did: string;
  readonly mood: () => RegistryMood;
  readonly inputs?: Properties;
  /** `fails`: the up must fail; `passes`: it must not; `either`: the engine decides whether it asks again. */
  readonly then: "fails" | "passes" | "either";
  /** What a failed up has to say besides. */
  readonly says?: string;
  readonly quick?: true;
}

const ALWAYS = 1_000;

const TROUBLES: readonly Trouble[] = [
  {
    name: "registry down",
    did: "the registry closes every connection while v4 is to be pulled",
    mood: () => ({ kind: "down" }),
    then: "fails",
    quick: true,
  },
  {
    name: "registry silent",
    did: "the registry takes connections and answers nothing; progressDeadline is 8 s",
    mood: () => ({ kind: "silent" }),
    inputs: { update: { healthyDeadline: "5s", progressDeadline: "8s" } },
    then: "fails",
  },
  {
    name: "registry answers 401",
    did: "the registry answers 401 to every manifest and layer",
    mood: () => ({ kind: "refuses", status: 401, times: ALWAYS }),
    then: "fails",
    says: "wants a login (status 401)",
  },
  {
    name: "registry answers 429, then serves",
    did: "the registry answers 429 with Retry-After: 1 three times",
    mood: () => ({ kind: "refuses", status: 429, headers: { "retry-after": "1" }, times: 3 }),
    then: "passes",
  },
  {
    name: "registry answers 429 for ever",
    did: "the registry answers 429 with Retry-After: 1 every time; progressDeadline is 15 s",
    mood: () => ({ kind: "refuses", status: 429, headers: { "retry-after": "1" }, times: ALWAYS }),
    inputs: { update: { healthyDeadline: "10s", progressDeadline: "15s" } },
    then: "fails",
  },
  {
    name: "registry answers 500",
    did: "the registry answers 500 to every manifest and layer; progressDeadline is 15 s",
    mood: () => ({ kind: "refuses", status: 500, times: ALWAYS }),
    inputs: { update: { healthyDeadline: "10s", progressDeadline: "15s" } },
    then: "fails",
  },
  {
    name: "truncated layer, once",
    did: "a layer ends in its middle once",
    mood: () => ({ kind: "truncates", times: 1 }),
    then: "either",
  },
  {
    name: "truncated layer, always",
    did: "every layer ends in its middle; progressDeadline is 20 s",
    mood: () => ({ kind: "truncates", times: ALWAYS }),
    inputs: { update: { healthyDeadline: "10s", progressDeadline: "20s" } },
    then: "fails",
  },
];

let started: Promise<FaultyRegistry> | undefined;

/** The image has to come from a registry, and the registry is in trouble. */
export const REGISTRY_CASES: readonly FaultCase[] = [
  ...TROUBLES.map((trouble): FaultCase => {
    return {
      name: trouble.name,
      did: trouble.did,
      ...(trouble.quick === true ? { quick: true as const } : {}),
      run: (site) => troubled(site, trouble),
    };
  }),
  {
    name: "registry down, image there",
    did: "the registry is down, and the image is on the host already",
    run: alreadyThere,
  },
];

async function troubled(site: Site, { mood, inputs = {}, then, says }: Trouble): Promise<string> {
  const registry = await (started ??= FaultyRegistry.start(site));
  const service = new Service(site, BRIDGED);
  try {
    await service.up("v1");
    await buildPage(site.host, "v4");
    const image = await registry.offer(site, "v4");
    registry.mood = mood();
    const failed = await service.tryUp(image, inputs);
    registry.mood = { kind: "well" };
    const mayEnd = then !== "fails";
    const mayFail = then !== "passes";
    if (failed === undefined ? !mayEnd : !mayFail)
      throw new Error(`the up ${failed === undefined ? "ended well" : `failed: ${failed}`}`);
    if (failed !== undefined && !failed.includes("could not be pulled") && !failed.includes("pulling"))
      throw new Error(`the message does not say that it is the pull: ${failed}`);
    if (says !== undefined && !failed?.includes(says))
      throw new Error(`the message does not say "${says}": ${failed ?? ""}`);
    const pages = await service.served();
    const expected = failed === undefined ? "v4" : "v1";
    if (pages.join() !== expected)
      throw new Error(`${expected} should serve, and there serve: ${pages.join() || "none"}`);
    return `the up ${failed === undefined ? "ended well" : "failed"}, ${await judge(service, { image })}`;
  } catch (error) {
    throw withLines(error, service);
  } finally {
    registry.mood = { kind: "well" };
    await site.host.exec(["docker", "rmi", "-f", `${registry.address}/page:v4`]);
  }
}

async function alreadyThere(site: Site): Promise<string> {
  const registry = await (started ??= FaultyRegistry.start(site));
  const service = new Service(site, BRIDGED);
  const image = `${registry.address}/page:v2`;
  try {
    await site.host.must(["docker", "tag", "page:v2", image]);
    registry.mood = { kind: "down" };
    await service.up("v1");
    await service.up(image);
    return await judge(service, { image });
  } catch (error) {
    throw withLines(error, service);
  } finally {
    registry.mood = { kind: "well" };
    await site.host.exec(["docker", "rmi", image]);
  }
}
