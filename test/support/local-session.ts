import { spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { PassThrough, Readable as Stream, pipeline } from "node:stream";
import type { CommandOptions, CommandOutcome, HostSession } from "../../provider/host/session";

/** What a local session does with one command's standard input: gives fewer bytes, as a line that drops. */
export type CutInput = (argv: readonly string[]) => number | undefined;

const underWay = new Set<Promise<unknown>>();

/** When all commands of local sessions are over, those too that nobody waits for any more: they write in the home folder. */
export async function localCommandsEnded(): Promise<void> {
  await Promise.all(underWay);
}

/** A session whose commands run on this machine, with a home folder of their own. */
export function localSession(home: string, cut: CutInput = () => undefined) {
  const calls: { readonly argv: readonly string[]; bytes: number }[] = [];
  const exec = (argv: readonly string[], options: CommandOptions = {}): Promise<CommandOutcome> => {
    const call = { argv, bytes: 0 };
    calls.push(call);
    const [program = "", ...args] = argv;
    const env = { PATH: process.env.PATH, HOME: home, LC_ALL: "C", ...options.env };
    const child = spawn(program, args, { env, stdio: ["pipe", "pipe", "pipe"] });
    const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
    underWay.add(closed);
    void closed.then(() => underWay.delete(closed));
    const most = cut(argv);
    let isCut = false;
    return new Promise((resolve, reject) => {
      let stdout = "";
      let stderr = "";
      child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
      child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
      child.on("error", reject);
      child.on("close", (code) =>
        resolve(
          isCut ? { kind: "lost", stdout, stderr } : { kind: "exited", code: code ?? 1, stdout, stderr },
        ),
      );
      const line = new PassThrough();
      line.on("data", (chunk: Buffer) => {
        call.bytes += chunk.length;
        if (isCut) return;
        if (most === undefined || call.bytes <= most) return void child.stdin.write(chunk);
        isCut = true;
        child.stdin.write(chunk.subarray(0, chunk.length - (call.bytes - most)));
        child.kill("SIGHUP");
        child.stdin.destroy();
      });
      line.on("end", () => child.stdin.end());
      child.stdin.on("error", () => {}); // it ended without reading: its exit code tells
      pipeline(streamOf(options.stdin), line, (error) => {
        if (!error) return;
        child.stdin.destroy();
        child.kill();
        reject(error);
      });
    });
  };
  const session = { target: "root@h:22", redact: (text: string) => text, exec } as unknown as HostSession;
  return { session, calls };
}

function streamOf(stdin: CommandOptions["stdin"]): Readable {
  if (stdin === undefined) return Stream.from([]);
  return typeof stdin === "string" || Buffer.isBuffer(stdin) ? Stream.from([stdin]) : stdin;
}
