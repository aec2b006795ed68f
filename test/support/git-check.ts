import assert from "node:assert/strict";
import type { Properties } from "../../provider/handler";
import { closeConnections } from "../../provider/host/pool";
import { remoteImageHandler } from "../../provider/remote-image/handler";
import { type GitRepository, type GitSite, startGitSite } from "./git-site";
import { handlerContext } from "./handler-context";

const HOST = { host: "192.0.2.1", user: "root" };

/** What `app.git` of every stage has in its first commit. */
export const APP = {
  files: { Dockerfile: "FROM scratch\nCOPY . /\n", "app/index.js": "one\n", "app/ü ö.txt": "words\n" },
  programs: { run: "#!/bin/sh\n" },
  links: { latest: "app/index.js" },
};

/** A repository behind servers, and a user's cache folder of its own. */
export interface GitStage {
  readonly site: GitSite;
  readonly app: GitRepository;
  /** The first commit. */
  readonly first: string;
  end(): Promise<void>;
}

export async function gitStage(): Promise<GitStage> {
  const { XDG_CACHE_HOME } = process.env;
  const site = await startGitSite();
  process.env.XDG_CACHE_HOME = site.cache;
  const app = site.repository("app");
  return {
    site,
    app,
    first: app.commit(APP),
    async end() {
      if (XDG_CACHE_HOME === undefined) delete process.env.XDG_CACHE_HOME;
      else process.env.XDG_CACHE_HOME = XDG_CACHE_HOME;
      closeConnections();
      await site.stop();
    },
  };
}

/** One check of a RemoteImage, as preview and up make it; `olds` are the inputs of the run before. */
export async function checkImage(given: Properties, olds: Properties = {}) {
  const warnings: string[] = [];
  const context = handlerContext();
  const log = { ...context.log, warn: (text: string) => void warnings.push(text) };
  const news = { host: HOST, name: "web", ...given };
  // what is tried again is tried at once
  const clock = { ...context.clock, sleep: () => Promise.resolve() };
  const { inputs, failures } = await remoteImageHandler.check(olds, news, { ...context, clock, log });
  return { inputs, warnings, failures: failures.map(({ property, reason }) => `${property}: ${reason}`) };
}

/** The inputs of a check that finds nothing wrong. */
export async function checkedImage(given: Properties, olds: Properties = {}): Promise<Properties> {
  const { inputs, failures } = await checkImage(given, olds);
  assert.deepEqual(failures, []);
  return inputs;
}

/** The one failure of a check, which holds these words. */
export async function refusedImage(given: Properties, ...words: readonly RegExp[]): Promise<string> {
  const { failures } = await checkImage(given);
  assert.equal(failures.length, 1, failures.join("\n"));
  for (const each of words) assert.match(failures[0] ?? "", each);
  return failures[0] ?? "";
}
