import { SlipwayError } from "../../provider/errors";
import type { CommandOptions, CommandOutcome, HostSession } from "../../provider/host/session";
import { observedEngine } from "./observed-engine";

/** A Debian machine with Docker on it, as far as uninstalling touches it. */
export interface UninstallMachine {
  readonly session: HostSession;
  /** Has the connection break at this moment of the next run, counted from 0; undefined: it holds. */
  cutAt(moment: number | undefined): void;
  /** Whether the last run came to the moment that it was to be cut at, and what was under way then. */
  cut(): string | undefined;
  /** What there is, as text. */
  state(): string;
}

const encoded = (text: string): string => Buffer.from(text).toString("base64");
const LOST = { code: "connection-lost", what: "a command", why: "the connection was lost" } as const;

/**
 * `needs` are packages of others and what each needs; they go along when that goes.
 * Every call that changes the machine has a moment before it, one after it, and those that can be half done one in between.
 */
export function uninstallMachine(
  packages: readonly string[],
  needs: Readonly<Record<string, string>> = {},
): UninstallMachine {
  const installed = new Set(packages);
  const held = new Set(packages);
  const others = new Set(Object.keys(needs));
  const goingWith = (names: readonly string[]): readonly string[] =>
    [...others].filter((name) => names.includes(needs[name] ?? ""));
  const files = new Set(["source", "key", "images", "volumes"]);
  const half = new Set<string>();
  let running = ["c1", "c2"];
  let left: number | undefined;
  let moments = 0;
  let wasCut: string | undefined;

  const moment = (what: string): void => {
    if (left !== undefined && moments++ === left) {
      wasCut = what;
      throw new SlipwayError(LOST);
    }
  };
  const change = (what: string, ...parts: readonly (() => void)[]): void => {
    for (const part of parts) {
      moment(what);
      part();
    }
    moment(`${what}, done`);
  };
  const remove = (names: readonly string[]): void => {
    const [first = "", second = ""] = names;
    const gone = (name: string): void => {
      for (const set of [installed, half, held]) set.delete(name);
      if (name === packages[0]) running = [];
    };
    const begin = (): void => {
      for (const name of goingWith(names)) others.delete(name);
      gone(first);
      if (installed.delete(second)) half.add(second);
    };
    change("remove", begin, () => names.forEach(gone));
  };
  const repair = (): void =>
    change("repair", () => {
      for (const name of half) installed.add(name);
      half.clear();
    });

  const did = (words: readonly string[], onLine?: (line: string) => void): string => {
    const line = words.join(" ");
    if (line.includes("slipway-lock")) onLine?.("locked 1 2");
    else if (line.startsWith("docker") && line.includes(" stop ")) change("stop", () => void (running = []));
    else if (line.includes("apt-mark unhold")) change("unhold", () => held.clear());
    else if (line.startsWith("rm "))
      change(
        "rm source",
        () => files.delete("key"),
        () => files.delete("source"),
      );
    else if (line.includes("slipway-purge"))
      change(
        "purge",
        () => files.delete("images"),
        () => files.delete("volumes"),
      );
    else if (line.includes("slipway-unmark")) change("unmark", () => files.delete("mark"));
    else if (line.includes(" --configure ")) repair();
    else if (line.includes(" remove ")) remove(words.slice(words.indexOf("remove") + 1));
    else if (line.includes(" -s ")) {
      const names = words.filter((word) => word.endsWith("-")).map((word) => word.slice(0, -1));
      return [...names, ...goingWith(names)].map((name) => `Remv ${name} [1]\n`).join("");
    } else if (half.size > 0 && line.includes("apt-get")) throw new Error(`dpkg was interrupted: ${line}`);
    return "";
  };
  const look = (): string => {
    const engine = ['{"Version":"28.5.2"}', '{"DockerRootDir":"/var/lib/docker"}', JSON.stringify(ids())];
    return [
      "\n== os\nID=debian\n\n== init\nsystemd\n\n== look",
      ...[...installed].map((name) => `package ${name} 28.5.2-1 installed`),
      ...[...half].map((name) => `package ${name} 28.5.2-1 half-installed`),
      ...[...held].map((name) => `held ${name}`),
      ...(files.has("mark") ? ["ours yes"] : []),
      ...(files.has("source") ? [`source ${encoded("source")}`] : []),
      ...(installed.has(packages[0] ?? "") ? ["active yes", `engine ${encoded(engine.join("\n"))}`] : []),
      "end yes\n",
    ].join("\n");
  };
  const ids = (): readonly { readonly Id: string }[] => running.map((Id) => ({ Id }));
  const ended = (stdout: string): Promise<CommandOutcome> =>
    Promise.resolve({ kind: "exited", code: 0, stdout, stderr: "" });
  const attempt = <T>(use: () => T): Promise<T> =>
    new Promise((resolve) => {
      resolve(use());
    });
  const session = {
    target: "root@h:22",
    redact: (text: string) => text,
    facts: () => Promise.resolve({ ...observedEngine().facts, sessionProcess: "1 2" }),
    exec: (argv: readonly string[], options: CommandOptions = {}) =>
      attempt(() => did(argv, options.onLine)).then(ended),
    run: (argv: readonly string[]) => attempt(() => did(argv)),
    script: (text: string, args: readonly string[] = []) =>
      attempt(() => (text.includes("field look") ? look() : did(args))).then(ended),
    writeFile: () => attempt(() => change("mark", () => void files.add("mark"))),
  } as unknown as HostSession;
  return {
    session,
    cutAt: (at) => {
      left = at;
      moments = 0;
      wasCut = undefined;
    },
    cut: () => wasCut,
    state: () =>
      [
        ...others,
        ...installed,
        ...half,
        ...[...held].map((name) => `held ${name}`),
        ...files,
        ...running,
      ].join(", "),
  };
}
