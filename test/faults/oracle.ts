import { until } from "../lab/until";
import { CANARY, type Service } from "./service";
import type { Properties } from "../../provider/handler";

/** What a fault was, as far as the judgement rests on it. */
export interface Aftermath {
  /** What the next up asks for. */
  readonly image: string;
  readonly inputs?: Properties;
  /** Engine or host were restarted: the neighbour's containers were, too. */
  readonly restarted?: boolean;
  /** Images were removed: whoever builds them makes them again before the next up. */
  readonly pruned?: boolean;
  /** The proxy is put right before the next up. */
  readonly proxyAway?: boolean;
  /** Why nobody may serve before the next up, where that is the design's word. */
  readonly downBecause?: string;
  /**
   * The power was lost: it may have been while the engine started a container with a port. Docker 20.10 then holds the port for
   * nobody until it is restarted, and all that the next up can do is to say so.
   */
  readonly engineMayForget?: boolean;
  /** The next up has to fail with this; then what served is still to serve, and that is all. */
  readonly refused?: RegExp;
}

const SERVES_MS = 30_000;
const FORGOTTEN = "is held by Docker for a container that it has forgotten";
const KNOWN = /^v[0-9]$/;

/**
 * The judgement after a fault: somebody serves, nothing foreign was touched, the next up converges, the one after changes
 * nothing, destroy leaves nothing, and the secret is nowhere. Gives what was seen; throws what does not hold.
 */
export async function judge(service: Service, aftermath: Aftermath): Promise<string> {
  const { site } = service;
  const { image, inputs = {}, restarted = false, downBecause } = aftermath;
  const seen: string[] = [];
  let before = await firstServed(service, downBecause === undefined ? SERVES_MS : 0);
  if (before === undefined && aftermath.engineMayForget === true) {
    const next = await service.tryUp(image, inputs);
    if (next?.includes(FORGOTTEN) !== true)
      throw new Error(`nobody served, and the next up said: ${next ?? "nothing"}`);
    seen.push(
      "Docker held the port for a container that it had forgotten, the next up said so, Docker was restarted",
    );
    await site.restartEngine();
    before = await firstServed(service, SERVES_MS);
  }
  if (before === undefined && downBecause === undefined) {
    service.lines.push(`there stands\n${await site.standing(service.name)}`);
    const next = await service.tryUp(image, inputs);
    const then = next === undefined ? "converged" : `failed: ${next}`;
    throw new Error(`nobody served within ${SERVES_MS / 1_000} s after it; the next up ${then}`);
  }
  seen.push(
    before === undefined ? `nobody served until the next up (${downBecause ?? ""})` : `${before} served`,
  );
  must(await site.disturbed(restarted));
  if (aftermath.proxyAway === true) await site.edge.up();
  if (aftermath.pruned === true) await site.restoreImages();
  const failed = await service.tryUp(image, inputs);
  if (aftermath.refused !== undefined) {
    if (failed === undefined || !aftermath.refused.test(failed))
      throw new Error(`the next up should have been refused: ${failed ?? "it ended well"}`);
    seen.push("the next up was refused");
  } else {
    if (failed !== undefined) throw new Error(`the next up failed: ${failed}`);
    await serves(service, image.replace(/^.*:/, ""));
    seen.push("the next up converged");
    must(await service.changesOf(image, inputs), "the up after it would change something");
  }
  await mustEnd(service);
  return seen.join(", ");
}

/** Waits until nobody but this version serves. */
export async function serves(service: Service, version: string): Promise<void> {
  let pages: readonly string[] = [];
  try {
    await until(`${version} to serve`, async () => {
      pages = await service.served();
      return pages.length > 0 && pages.every((page) => page === version);
    });
  } catch {
    throw new Error(`${version} should serve alone, and there serve: ${pages.join(", ") || "none"}`);
  }
}

/** Destroy leaves nothing; the neighbour stays as it was, and the secret is nowhere. */
export async function mustEnd(service: Service): Promise<void> {
  const { site } = service;
  noSecret("the logs and errors", service.lines.join("\n"));
  noSecret("the state", service.openState);
  noSecret("labels, files or the journal of the host", await site.said(service.name));
  must(await service.destroy(), "destroy failed");
  noSecret("the log of destroy", service.lines.join("\n"));
  const left = await site.left(service.name);
  if (left.length > 0) throw new Error(`destroy left: ${left.join(", ")}`);
  must(await site.disturbed(false));
  if (service.way.entrance === "route") must(await site.edge.disturbed());
}

async function firstServed(service: Service, limitMs: number): Promise<string | undefined> {
  let pages: readonly string[] = [];
  const look = async (): Promise<boolean> => {
    pages = (await service.served()).filter((page) => KNOWN.test(page));
    return pages.length > 0;
  };
  if (await look()) return [...new Set(pages)].sort().join(" and ");
  try {
    await until("somebody to serve", look, limitMs);
  } catch {
    return undefined;
  }
  return `${[...new Set(pages)].sort().join(" and ")} (after a while)`;
}

function must(problem: string | undefined, what?: string): void {
  if (problem !== undefined) throw new Error(what === undefined ? problem : `${what}: ${problem}`);
}

/** Throws when the secret is in a text, in any of its usual forms. */
export function noSecret(where: string, text: string): void {
  for (const form of [
    CANARY,
    Buffer.from(CANARY).toString("base64").slice(4, -4),
    Buffer.from(CANARY).toString("hex"),
  ])
    if (text.includes(form)) throw new Error(`the secret is in ${where}`);
}
