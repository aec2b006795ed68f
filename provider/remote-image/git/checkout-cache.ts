import { createHash, randomBytes } from "node:crypto";
import { mkdir, readFile, readdir, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { SlipwayError, messageOf } from "../../errors";
import { userCache } from "../user-cache";
import { checkoutSeal } from "./checkout-seal";
import { type GitRemote, remoteText } from "./git-remote";

/** What nobody wanted for so long goes. */
const KEPT_MS = 14 * 24 * 3_600_000;
/** What a run that was cut off left. */
const LEFT_MS = 24 * 3_600_000;
const TREE = "tree";
const SEAL = "seal";

/** Where a commit's files are kept on this machine: in the user's cache folder, the user's alone. */
export interface CheckoutPlace {
  readonly folder: string;
  readonly wall: () => number;
}

/** The place of a repository's commit. */
export function checkoutPlace(
  remote: GitRemote,
  commit: string,
  wall: () => number,
  cache = userCache("git"),
): CheckoutPlace {
  const key = createHash("sha256")
    .update(JSON.stringify([remoteText(remote), commit]))
    .digest("hex");
  return { folder: path.join(cache, key.slice(0, 32)), wall };
}

/** The files that an earlier run, or another one beside this, has put there; undefined where they are not whole. */
export async function keptCheckout({ folder, wall }: CheckoutPlace): Promise<string | undefined> {
  const tree = path.join(folder, TREE);
  const seal = await readFile(path.join(folder, SEAL), "utf8").catch(() => undefined);
  if (seal === undefined || seal !== (await checkoutSeal(tree))) return undefined;
  const now = new Date(wall());
  await utimes(folder, now, now).catch(() => {}); // wanted: it stays
  return tree;
}

/**
 * Has `fill` put the files into a new folder, and moves that into its place when it is whole. `fill` may put other things beside
 * them, which go.
 * @throws SlipwayError git-refused (the cache folder cannot be written)
 */
export async function keepCheckout(
  place: CheckoutPlace,
  fill: (tree: string, beside: string) => Promise<void>,
): Promise<string> {
  const { folder, wall } = place;
  const fresh = `${folder}.${randomBytes(4).toString("hex")}`;
  const tree = path.join(fresh, TREE);
  const beside = path.join(fresh, "beside");
  await mkdir(beside, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    throw noPlace(folder, error);
  });
  try {
    await mkdir(tree, { mode: 0o755 });
    await fill(tree, beside);
    await rm(beside, { recursive: true, force: true });
    await writeFile(path.join(fresh, SEAL), (await checkoutSeal(tree)) ?? "");
    await rename(fresh, folder).catch(async () => {
      // somebody else was faster, or what is there is not whole
      if ((await keptCheckout(place)) !== undefined) return;
      await rename(folder, `${fresh}.old`).catch(() => {});
      await rename(fresh, folder).catch((error: unknown) => {
        throw noPlace(folder, error);
      });
    });
  } finally {
    await rm(fresh, { recursive: true, force: true });
    await rm(`${fresh}.old`, { recursive: true, force: true });
  }
  await tidy(path.dirname(folder), wall());
  return path.join(folder, TREE);
}

/** Takes away what nobody wants any more; another run may do so at the same time. */
async function tidy(cache: string, now: number): Promise<void> {
  for (const name of await readdir(cache).catch(() => [])) {
    const each = path.join(cache, name);
    const limit = name.includes(".") ? LEFT_MS : KEPT_MS;
    const found = await stat(each).catch(() => undefined);
    if (found !== undefined && found.mtimeMs + limit < now) {
      await rm(each, { recursive: true, force: true }).catch(() => {});
    }
  }
}

function noPlace(folder: string, error: unknown): SlipwayError {
  return new SlipwayError({
    code: "git-refused",
    what: "keeping a repository's files on this machine",
    why: `${path.dirname(folder)} cannot be written: ${messageOf(error)}`,
    next: "Set XDG_CACHE_HOME to a folder that can",
    cause: error,
  });
}
