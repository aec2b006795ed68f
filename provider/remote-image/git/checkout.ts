import { existsSync, lstatSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";
import { shownPath } from "../context-entry";
import { formatBytes } from "../upload";
import { ServerRefusal } from "./advertisement";
import { fetchPack, type Fetched, mayAskFor } from "./fetch-pack";
import { type GitAuth, authFor } from "./git-auth";
import { refused } from "./git-error";
import { parseGitModules } from "./git-modules";
import { treeOf } from "./git-object";
import { type GitRemote, remoteText, submoduleRemote } from "./git-remote";
import { withServer } from "./git-server";
import type { GitTalk, Server } from "./git-talk";
import { Pack } from "./pack";
import { PackError } from "./pack-file";
import { CheckoutLimits, type Submodule, writeTree } from "./write-tree";

/** A commit to be written into a folder. */
export interface Checkout {
  readonly remote: GitRemote;
  readonly commit: string;
  /** For `remote` alone. */
  readonly auth: GitAuth | undefined;
  /** Empty. */
  readonly folder: string;
  /** A folder for what is not needed afterwards. */
  readonly beside: string;
}

/** Submodules of submodules. */
const DEEPEST = 10;
const MOST_SUBMODULES = 500;

/**
 * Fetches a commit without its history and writes its files, those of its submodules included.
 * @throws SlipwayError git-unreachable, git-refused, and what an ssh connection throws
 */
export async function checkOut(wanted: Checkout, server: Server): Promise<void> {
  const limits = new CheckoutLimits();
  const open = [{ remote: wanted.remote, commit: wanted.commit, below: "", depth: 0 }];
  let count = 0;
  for (let next = open.shift(); next !== undefined; next = open.shift()) {
    const { remote, commit, below, depth } = next;
    const repository = remoteText(remote);
    if (depth > DEEPEST) throw refused(repository, `submodules lie more than ${DEEPEST} deep in one another`);
    if (count++ > MOST_SUBMODULES)
      throw refused(repository, `there are more than ${MOST_SUBMODULES} submodules`);
    const auth = authFor(wanted.auth, remote, wanted.remote);
    const folder = path.join(wanted.folder, below);
    const file = path.join(wanted.beside, `${count}.pack`);
    const found = await checkOutOne({ remote, commit, auth, folder }, file, limits, server);
    for (const each of submodulesOf(folder, found, remote)) {
      open.push({ ...each, below: path.join(below, each.below), depth: depth + 1 });
    }
  }
}

async function checkOutOne(
  wanted: Omit<Checkout, "beside">,
  file: string,
  limits: CheckoutLimits,
  server: Server,
): Promise<readonly Submodule[]> {
  const { commit, folder } = wanted;
  const repository = remoteText(wanted.remote);
  const { signal } = server;
  await fetchCommit(wanted, file, server);
  try {
    const pack = await Pack.open(file, signal);
    try {
      return await writeTree(pack, treeOf(pack, commit), folder, { repository, limits, signal });
    } finally {
      pack.close();
    }
  } catch (error) {
    if (!(error instanceof PackError)) throw error;
    throw refused(repository, `at ${commit}, the server sent ${error.message}`);
  } finally {
    await rm(file, { force: true });
  }
}

/** The commit alone, where the server gives it so; else everything that it has, in which it may be. */
async function fetchCommit(
  { remote, commit, auth }: Pick<Checkout, "remote" | "commit" | "auth">,
  file: string,
  server: Server,
): Promise<void> {
  const repository = remoteText(remote);
  const fetch = (how: Fetched): Promise<boolean> =>
    withServer(remote, auth, server, async (talk: GitTalk) => {
      if (how === "commit" && !mayAskFor(talk, commit)) return false;
      if (talk.advertisement.refs.size === 0) throw refused(repository, "the repository is empty");
      await rm(file, { force: true }); // of an attempt before this one
      const onBytes = progress(server, repository);
      try {
        await fetchPack(talk, { commit, how }, { file, signal: server.signal, onBytes });
        return true;
      } catch (error) {
        const isNotGiven = error instanceof ServerRefusal && /not our ref|unadvertised/i.test(error.message);
        if (how === "commit" && isNotGiven) return false;
        throw error;
      }
    });
  if (await fetch("commit")) return;
  server.context.log.progress(`${repository}: the server does not give ${commit} alone, fetching all of it`);
  await fetch("history");
}

/** Tells how much came, once a megabyte or so. */
function progress({ context }: Server, repository: string): (bytes: number) => void {
  let said = 0;
  return (bytes) => {
    if (bytes - said < 1 << 20) return;
    said = bytes;
    context.log.progress(`fetching ${repository}: ${formatBytes(bytes)}`);
  };
}

interface NextRepository {
  readonly remote: GitRemote;
  readonly commit: string;
  readonly below: string;
}

function submodulesOf(
  folder: string,
  found: readonly Submodule[],
  remote: GitRemote,
): readonly NextRepository[] {
  if (found.length === 0) return [];
  const repository = remoteText(remote);
  const file = path.join(folder, ".gitmodules");
  // a link would lead anywhere
  const isThere = existsSync(file) && lstatSync(file).isFile();
  const entries = parseGitModules(isThere ? readFileSync(file, "utf8") : "");
  return found.flatMap(({ path: below, commit }) => {
    const entry = entries.get(below);
    const shown = shownPath(below);
    if (entry === undefined) throw refused(repository, `.gitmodules has no URL for the submodule ${shown}`);
    if (entry.isLeftOut) return [];
    const next = submoduleRemote(entry.url, remote);
    if (next.kind !== "refused") return [{ remote: next, commit, below }];
    throw refused(repository, `the URL of the submodule ${shown} ${next.why}`);
  });
}
