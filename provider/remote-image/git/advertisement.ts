import { PacketError, type PacketReader } from "./pkt-line";
import { wordsOf } from "./git-error";

/** What a server offers of a repository. */
export interface Advertisement {
  readonly refs: ReadonlyMap<string, string>;
  readonly capabilities: ReadonlySet<string>;
}

/** More refs than this is no repository that anybody works with. */
const MOST_BYTES = 64 << 20;

/** The server's own refusal, in its words. */
export class ServerRefusal extends Error {}

/** Reads a server's refs up to its flush. @throws PacketError, ServerRefusal */
export async function readAdvertisement(reader: PacketReader): Promise<Advertisement> {
  const refs = new Map<string, string>();
  let capabilities: ReadonlySet<string> = new Set();
  let bytes = 0;
  for (;;) {
    const packet = await reader.next();
    if (packet === undefined) throw new PacketError("ended its list of refs before it was whole");
    if (packet.kind === "flush") return { refs, capabilities };
    bytes += packet.data.length;
    if (bytes > MOST_BYTES) throw new PacketError("lists more refs than can be read");
    const line = packet.data.toString("utf8").replace(/\n$/, "");
    if (line.startsWith("ERR ")) throw new ServerRefusal(wordsOf(line.slice(4)));
    if (/^version \d+$/.test(line)) continue;
    const nul = line.indexOf("\0");
    const [, id = "", name = ""] =
      /^([0-9a-f]{40}|[0-9a-f]{64}) (.+)$/s.exec(nul < 0 ? line : line.slice(0, nul)) ?? [];
    if (nul >= 0)
      capabilities = new Set(
        line
          .slice(nul + 1)
          .split(" ")
          .filter(Boolean),
      );
    if (id === "") {
      if (/^shallow [0-9a-f]{40}$/.test(line)) continue;
      throw new PacketError("lists refs in a way that git does not");
    }
    if (name !== "capabilities^{}") refs.set(name, id);
  }
}

/**
 * The commit that a ref leads to by git's own rules: a tag goes before a branch of the same name; without one it is HEAD. Tags with
 * an object of their own lead to the commit that they name.
 */
export function resolveRef({ refs }: Advertisement, ref: string | undefined): string | undefined {
  const names = ref === undefined ? ["HEAD"] : [ref, `refs/${ref}`, `refs/tags/${ref}`, `refs/heads/${ref}`];
  for (const name of names) {
    const id = refs.get(name);
    if (id !== undefined && !name.endsWith("^{}")) return refs.get(`${name}^{}`) ?? id;
  }
  return undefined;
}

/** What to ask for to get a commit: itself where a ref leads to it, or the tag that names it; undefined where none does. */
export function wantFor({ refs }: Advertisement, commit: string): string | undefined {
  for (const [name, id] of refs) {
    if (id !== commit) continue;
    if (!name.endsWith("^{}")) return id;
    const tag = refs.get(name.slice(0, -3));
    if (tag !== undefined) return tag;
  }
  return undefined;
}

/** Every branch and tag: with all of their history they hold what no ref leads to any more, for the most part. */
export function allHeads({ refs }: Advertisement): readonly string[] {
  const names = [...refs].filter(
    ([name]) => /^(?:HEAD$|refs\/(?:heads|tags)\/)/.test(name) && !name.endsWith("^{}"),
  );
  return [...new Set(names.map(([, id]) => id))];
}
