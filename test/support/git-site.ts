import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { type IncomingMessage, type ServerResponse } from "node:http";
import { createServer, globalAgent } from "node:https";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { selfSignedPem } from "../../provider/proxy/self-signed";
import { runInShell, startSshServer } from "./ssh-server";
import { TemporaryFolder } from "./temporary-folder";

/** What a test's repository gets in one commit, by path. */
export interface GitFiles {
  readonly files?: Readonly<Record<string, string>>;
  readonly programs?: Readonly<Record<string, string | Buffer>>;
  readonly links?: Readonly<Record<string, string>>;
  /** Path to commit; .gitmodules is a file like any other. */
  readonly submodules?: Readonly<Record<string, string>>;
}

/** A repository made by git itself: `folder` is worked in, and `bare` is what servers serve. */
export class GitRepository {
  readonly bare: string;
  private readonly folder: string;

  constructor(root: string, name: string) {
    this.bare = path.join(root, "served", `${name}.git`);
    this.folder = path.join(root, "work", name);
    for (const each of [this.bare, this.folder]) mkdirSync(each, { recursive: true });
    git(this.bare, "init", "--quiet", "--bare", "--initial-branch=main");
    git(this.folder, "init", "--quiet", "--initial-branch=main");
    git(this.folder, "remote", "add", "origin", this.bare);
  }

  /** Commits, pushes to the branch of this moment, and gives the commit's id. */
  commit({ files = {}, programs = {}, links = {}, submodules = {} }: GitFiles): string {
    const at = (name: string): string => {
      const absolute = path.join(this.folder, name);
      mkdirSync(path.dirname(absolute), { recursive: true });
      return absolute;
    };
    for (const [name, text] of Object.entries({ ...files, ...programs })) {
      writeFileSync(at(name), text);
      chmodSync(at(name), name in programs ? 0o755 : 0o644);
    }
    for (const [name, target] of Object.entries(links)) symlinkSync(target, at(name));
    git(this.folder, "add", "--all");
    for (const [name, commit] of Object.entries(submodules)) {
      git(this.folder, "update-index", "--add", "--cacheinfo", `160000,${commit},${name}`);
    }
    git(this.folder, "commit", "--quiet", "--allow-empty", "-m", "a commit");
    this.run("push", "--quiet", "origin", "HEAD");
    return git(this.folder, "rev-parse", "HEAD");
  }

  /** Runs git in the folder that is worked in. */
  run(...args: readonly string[]): string {
    return git(this.folder, ...args);
  }

  /** Writes an object as it is, however wrong, and gives its id. */
  object(kind: "tree" | "commit" | "blob", content: Buffer): string {
    const args = ["hash-object", "-w", "--literally", "-t", kind, "--stdin"];
    return execFileSync("git", args, { cwd: this.bare, input: content, env: ENVIRONMENT }).toString().trim();
  }
}

const ENVIRONMENT = {
  PATH: process.env.PATH,
  HOME: "/nonexistent",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_AUTHOR_NAME: "A",
  GIT_AUTHOR_EMAIL: "a@example.test",
  GIT_COMMITTER_NAME: "A",
  GIT_COMMITTER_EMAIL: "a@example.test",
};

function git(folder: string, ...args: readonly string[]): string {
  return execFileSync("git", args, { cwd: folder, env: ENVIRONMENT }).toString().trim();
}

/** One request as the server got it. */
export interface GitRequest {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | undefined;
}

/** Answers a request in the place of git; false leaves it to git. */
export type GitAnswer = (request: IncomingMessage, response: ServerResponse) => boolean;

export type GitSite = Awaited<ReturnType<typeof startGitSite>>;

/** Repositories behind git's own servers: `git http-backend` over https, and `git-upload-pack` over ssh. */
export async function startGitSite() {
  const folder = new TemporaryFolder();
  const served = path.join(folder.path, "served");
  const requests: GitRequest[] = [];
  const state: { answer: GitAnswer } = { answer: () => false };
  const pem = selfSignedPem({ names: ["127.0.0.1", "localhost"] });
  const server = createServer({ cert: pem, key: pem }, (request, response) => {
    const { method = "", url = "", headers } = request;
    requests.push({ method, url, authorization: headers.authorization });
    if (!state.answer(request, response)) serve(served, request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { ca } = globalAgent.options;
  globalAgent.options.ca = pem;
  const { port } = server.address() as AddressInfo;
  const lines: string[] = [];
  const ssh = await startSshServer({
    onExec: (line, channel) => {
      lines.push(line);
      // the great forges take this line and nothing else
      if (/^git-upload-pack '[^']*'$/.test(line))
        return runInShell(`cd ${served} && ${line.replace("'/", "'./")}`, channel);
      channel.stderr.write("only git is served here\n");
      channel.exit(1);
      channel.close();
    },
  });
  const { hostKey, privateKey } = ssh.connection;
  return {
    /** As URLs begin here. */
    https: `https://127.0.0.1:${port}`,
    ssh: `ssh://git@127.0.0.1:${ssh.port}`,
    sshAuth: { hostKey, privateKey },
    /** What was run over ssh. */
    lines,
    requests,
    /** A folder for what is kept on this machine. */
    cache: path.join(folder.path, "cache"),
    repository: (name: string): GitRepository => new GitRepository(folder.path, name),
    /** From now on requests are answered so. */
    answer(answer: GitAnswer): void {
      state.answer = answer;
    },
    /** Wants this login for whatever begins with `prefix`; another one gets `wrong`. */
    wantLogin(user: string, token: string, wrong = 401, prefix = "/"): void {
      const wanted = `Basic ${Buffer.from(`${user}:${token}`).toString("base64")}`;
      state.answer = ({ headers, url = "" }, response) => {
        if (headers.authorization === wanted || !url.startsWith(prefix)) return false;
        response
          .writeHead(headers.authorization === undefined ? 401 : wrong)
          .end(`no: ${headers.authorization}`);
        return true;
      };
    },
    async stop(): Promise<void> {
      globalAgent.options.ca = ca;
      globalAgent.destroy();
      server.closeAllConnections();
      server.close();
      await ssh.stop();
      folder.remove();
    },
  };
}

/** A CGI call of git's own program. */
function serve(root: string, request: IncomingMessage, response: ServerResponse): void {
  const { pathname, search } = new URL(request.url ?? "/", "https://x");
  const child = spawn("git", ["http-backend"], {
    env: {
      ...ENVIRONMENT,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: "1",
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      CONTENT_LENGTH: request.headers["content-length"] ?? "",
    },
  });
  request.pipe(child.stdin);
  child.stdin.on("error", () => {}); // it did not read to the end
  child.stderr.resume();
  let head = Buffer.alloc(0);
  let isBody = false;
  child.stdout.on("data", (piece: Buffer) => {
    if (isBody) return void response.write(piece);
    head = Buffer.concat([head, piece]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) return;
    isBody = true;
    const fields = head
      .toString("latin1", 0, end)
      .split("\r\n")
      .map((line) => line.split(": "));
    const status = Number(fields.find(([name]) => name === "Status")?.[1]?.slice(0, 3) ?? "200");
    const headers = fields
      .filter(([name]) => name !== "Status")
      .map(([name = "", value = ""]) => [name, value]);
    response.writeHead(status, Object.fromEntries(headers) as Record<string, string>);
    response.write(head.subarray(end + 4));
  });
  child.stdout.on("end", () => response.end());
}
