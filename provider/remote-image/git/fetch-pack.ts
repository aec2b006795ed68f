import { open } from "node:fs/promises";
import { allHeads, ServerRefusal, wantFor } from "./advertisement";
import { wordsOf } from "./git-error";
import type { GitTalk } from "./git-talk";
import { FLUSH, PacketError, type PacketReader, packet } from "./pkt-line";

/** Where a pack goes, and who is told how it comes. */
export interface PackTarget {
  readonly file: string;
  readonly signal: AbortSignal;
  readonly onBytes: (bytes: number) => void;
}

const MOST_BYTES = 16 * 2 ** 30;
/** A server with one of these gives a commit that no ref leads to. */
const ANY_COMMIT = ["allow-any-sha1-in-want", "allow-reachable-sha1-in-want", "allow-tip-sha1-in-want"];

/** What came: the commit alone with its files, or the history of everything. */
export type Fetched = "commit" | "history";

/** True where one commit that no ref leads to may be asked for. */
export function mayAskFor({ advertisement }: GitTalk, commit: string): boolean {
  const { capabilities } = advertisement;
  return wantFor(advertisement, commit) !== undefined || ANY_COMMIT.some((each) => capabilities.has(each));
}

/**
 * Has the server write a commit and its files into a pack, without what was before; or, with `history`, all that its branches and
 * tags lead to.
 * @throws PacketError; ServerRefusal where the server does not give this commit
 */
export async function fetchPack(
  talk: GitTalk,
  wanted: { readonly commit: string; readonly how: Fetched },
  target: PackTarget,
): Promise<void> {
  const { advertisement } = talk;
  const { capabilities } = advertisement;
  if (!capabilities.has("side-band-64k")) {
    throw new PacketError("is older than 2006, and cannot be spoken with");
  }
  const isShallow = wanted.how === "commit" && capabilities.has("shallow");
  const wants =
    wanted.how === "commit"
      ? [wantFor(advertisement, wanted.commit) ?? wanted.commit]
      : allHeads(advertisement);
  // nothing is ever acknowledged to us, who have nothing, but Azure DevOps refuses whoever does not claim one of the two
  const acks = capabilities.has("multi_ack_detailed") ? "multi_ack_detailed" : "multi_ack";
  const ours = [acks, "side-band-64k", "ofs-delta"].filter((each) => capabilities.has(each));
  const [first = wanted.commit, ...others] = wants;
  const request = [
    packet(`want ${first} ${ours.join(" ")} agent=slipway\n`),
    ...others.map((id) => packet(`want ${id}\n`)),
    ...(isShallow ? [packet("deepen 1\n")] : []),
    FLUSH,
    packet("done\n"),
  ];
  const reader = await talk.ask(Buffer.concat(request));
  try {
    await skipToPack(reader);
    await writePack(reader, target);
  } finally {
    await reader.stop();
  }
}

/** Where the history was cut, and that nothing is known in common, go before the pack. */
async function skipToPack(reader: PacketReader): Promise<void> {
  for (;;) {
    const next = await reader.next();
    if (next === undefined) throw new PacketError("ended its answer before the files came");
    if (next.kind === "flush") continue;
    const line = next.data.toString("utf8");
    if (line.startsWith("ERR ")) throw new ServerRefusal(wordsOf(line.slice(4)));
    if (/^(?:NAK|ACK)\b/.test(line)) return;
    if (!/^(?:un)?shallow /.test(line)) throw new PacketError("answers in a way that git does not");
  }
}

async function writePack(reader: PacketReader, { file, signal, onBytes }: PackTarget): Promise<void> {
  const handle = await open(file, "wx", 0o600);
  let bytes = 0;
  try {
    for (;;) {
      signal.throwIfAborted();
      const next = await reader.next();
      if (next === undefined) throw new PacketError("broke off in the middle of the files");
      if (next.kind === "flush") return;
      const band = next.data[0];
      const data = next.data.subarray(1);
      if (band === 3) throw new ServerRefusal(wordsOf(data.toString()));
      if (band !== 1) continue; // its progress, which is for a terminal
      bytes += data.length;
      if (bytes > MOST_BYTES) throw new PacketError("sends more than 16 GB");
      for (let at = 0; at < data.length; ) at += (await handle.write(data, at)).bytesWritten;
      onBytes(bytes);
    }
  } finally {
    await handle.close();
  }
}
