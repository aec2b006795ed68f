import type { RunOptions } from "../../provider/docker-host/packages/package-family";
import type { CommandOutcome, HostSession } from "../../provider/host/session";

/** What a package family is given, and what it did with it. */
export interface PackageHost {
  readonly session: HostSession;
  readonly calls: readonly string[];
  readonly run: RunOptions;
}

/**
 * A host that notes what a package family does there, a line a call, and does nothing; calls for which `fails` is true end with
 * exit code 1, and `answer` is what a command prints.
 */
export function packageHost(
  fails: (call: string) => boolean = () => false,
  answer: (call: string) => string = () => "",
): PackageHost {
  const calls: string[] = [];
  const did = (verb: string, words: readonly string[]): Promise<CommandOutcome> => {
    const call = [verb, ...words].join(" ");
    calls.push(call);
    return Promise.resolve({ kind: "exited", code: fails(call) ? 1 : 0, stdout: answer(call), stderr: "" });
  };
  const session = {
    target: "root@h:22",
    redact: (text: string) => text,
    exec: (argv: readonly string[]) => did("exec", argv),
    script: (_text: string, args: readonly string[] = []) => did("script", args),
    run: async (argv: readonly string[]) => {
      const outcome = await did("run", argv);
      return outcome.stdout;
    },
    writeFile: async (path: string) => {
      await did("write", [path]);
    },
  } as unknown as HostSession;
  return { session, calls, run: { signal: new AbortController().signal } };
}
