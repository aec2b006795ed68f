import { createHash } from "node:crypto";
import { Readable, pipeline } from "node:stream";
import { constants, createGzip, deflateSync } from "node:zlib";
import { SlipwayError } from "../errors";
import { assertOutcomeKnown } from "../host/known-outcome";
import type { CommandOutcome, HostSession } from "../host/session";
import type { Log } from "../log";
import { nonce } from "../nonce";
import { stripControl, tail } from "../secret";
import { type Recipe, recipeBook } from "./context-recipe";
import { changedWhileRead } from "./context-entry";
import { TAR_END_BYTES, type TarPiece, pieceBytes } from "./context-tar";
import { ASK, NO_SPACE, NO_STORE, NOT_WHOLE, PUT, VERIFY } from "./store-scripts";
import { paddingAfter, tarHeader } from "./tar-header";
import { type Sent, formatBytes, withProgress } from "./upload";

/** A context that stands on a host in pieces: `FROM_STORE` makes the tar of it there. */
export interface StoredContext {
  /** The folder of the host's store, absolute. */
  readonly store: string;
  /** Of the recipe book. */
  readonly book: string;
  /** What had to be sent for it, before it was compressed. */
  readonly sentBytes: number;
}

/** What storing a context needs besides it. */
export interface StoreOptions {
  readonly log: Log;
  readonly random: () => number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** So much is sent before the host looks at it and keeps it: what a lost connection costs at most, a larger file excepted. */
const BATCH_BYTES = 32 << 20;
/** Compressed is what shrinks by more than a tenth. */
const WORTH_IT = 0.9;
const SAMPLE_BYTES = 64 << 10;
/** What a file takes on a disk at least. */
const BLOCK_KB = 4;

/**
 * Brings onto the host what it has not got of a context's tar. Undefined where the host can have no store: then the tar goes
 * by itself.
 * @throws SlipwayError context-changed, image-build-failed (no space), connection-lost: what came whole is kept for the next run
 */
export async function storeContext(
  session: HostSession,
  pieces: readonly TarPiece[],
  options: StoreOptions,
): Promise<StoredContext | undefined> {
  const book = recipeBook(pieces);
  const run = { session, options, store: "" };
  const asked = await call(run, ASK, [book.digest, nonce(options.random)], book.text);
  if (asked.code === NO_STORE) return undefined;
  const [first = "", ...names] = mustBeZero(run, asked);
  const store = first.replace(/^store /, "");
  const target: Run = { ...run, store };
  const missing = new Set(names);
  const recipes = distinct(book.recipes.filter(({ digest }) => missing.has(digest)));
  const objects = recipes.map(recipeObject);
  for (const name of await put(target, objects, sizeOf(objects), "recipes")) missing.add(name);
  const wanted = distinct(pieces.filter(({ digest }) => missing.has(digest)));
  const bytes = sizeOf(wanted);
  if (bytes > 0) options.log.progress(`context: ${formatBytes(bytes)} are not on ${session.target} yet`);
  let sent = 0;
  for (const batch of batchesOf(wanted.map(pieceObject))) {
    await put(target, batch, bytes - sent, "pieces", { bytes: sent, ofBytes: bytes });
    sent += sizeOf(batch);
  }
  return { store, book: book.digest, sentBytes: bytes };
}

/** Looks at every byte of a stored context: true when all is there and right. What is wrong is removed. */
export async function isWhole(
  session: HostSession,
  { store, book }: StoredContext,
  options: StoreOptions,
): Promise<boolean> {
  const outcome = await call({ session, options }, VERIFY, [store, book]);
  return outcome.code !== NOT_WHOLE;
}

interface Run {
  readonly session: HostSession;
  readonly options: StoreOptions;
  readonly store: string;
}

type Exited = Extract<CommandOutcome, { kind: "exited" }>;

/** What the store keeps under a digest. */
interface StoreObject {
  readonly digest: string;
  readonly size: number;
  readonly bytes: () => Iterable<Buffer>;
}

/** Sends objects in one tar; of recipes it gives the pieces that are missing. */
async function put(
  run: Run,
  objects: readonly StoreObject[],
  needBytes: number,
  kind: "recipes" | "pieces",
  sent: Sent = { bytes: 0, ofBytes: 0 },
): Promise<readonly string[]> {
  if (objects.length === 0) return [];
  const { options, store } = run;
  const plain = Readable.from(tarOf(objects), { objectMode: true, highWaterMark: 4 });
  let broken: Error | undefined;
  plain.on("error", (error) => (broken = error));
  const counted = kind === "recipes" ? plain : withProgress(plain, sent, options.log);
  const isSmaller = shrinks(objects);
  const stdin = isSmaller ? compressed(counted) : counted;
  const needKb = Math.ceil(needBytes / 1024) + objects.length * BLOCK_KB;
  const how = isSmaller ? "gzip" : "plain";
  const args = [store, nonce(options.random), how, String(objects.length), String(needKb), kind];
  try {
    const outcome = await call(run, PUT, args, stdin);
    if (outcome.code === NO_SPACE) throw noSpace(run, outcome, needKb);
    return mustBeZero(run, outcome);
  } catch (error) {
    throw broken ?? error;
  } finally {
    plain.destroy();
  }
}

async function call(
  { session, options }: Omit<Run, "store">,
  text: string,
  args: readonly string[],
  stdin?: string | Readable,
): Promise<Exited> {
  const outcome = await session.exec(["/bin/sh", "-c", text, "slipway-context", ...args], {
    ...(stdin === undefined ? {} : { stdin }),
    timeoutMs: options.timeoutMs,
    signal: options.signal,
  });
  assertOutcomeKnown(outcome, session.target, "sending the build context");
  if (outcome.kind === "exited") return outcome;
  throw failure(session, `what takes it there was killed by ${outcome.signal}`, outcome.stderr);
}

/** The lines that the script said. */
function mustBeZero({ session }: Omit<Run, "store">, outcome: Exited): readonly string[] {
  if (outcome.code === 0) return outcome.stdout.split("\n").filter((line) => line !== "");
  const why =
    outcome.code === NOT_WHOLE
      ? "what came there is not what was sent"
      : `what takes it there ended with exit code ${outcome.code}`;
  throw failure(session, why, outcome.stderr);
}

function noSpace({ session }: Run, { stdout, stderr }: Exited, needKb: number): SlipwayError {
  const freeKb = Number(/^free (\d+)$/m.exec(stdout)?.[1] ?? 0);
  const why = `${formatBytes(needKb * 1024)} are to come, and ${formatBytes(freeKb * 1024)} are free there`;
  return failure(session, why, stderr, "Make room there (docker system df shows what Docker holds)");
}

function failure(session: HostSession, why: string, words: string, next?: string): SlipwayError {
  return new SlipwayError({
    code: "image-build-failed",
    what: "sending the build context",
    host: session.target,
    why,
    left: "Nothing was built; what came whole is kept for the next run",
    next,
    evidence: tail(session.redact(stripControl(words))),
  });
}

function* tarOf(objects: readonly StoreObject[]): Generator<Buffer> {
  for (const { digest, size, bytes } of objects) {
    yield tarHeader({ path: digest, kind: "file", mode: 0o600, size });
    yield* bytes();
    yield Buffer.alloc(paddingAfter(size));
  }
  yield Buffer.alloc(TAR_END_BYTES);
}

function compressed(source: Readable): Readable {
  const gzip = createGzip({ level: constants.Z_BEST_SPEED });
  // whoever reads the other end hears of an error there
  pipeline(source, gzip, () => {});
  return gzip;
}

/** By a look at how the first bytes do. */
function shrinks(objects: readonly StoreObject[]): boolean {
  const sample: Buffer[] = [];
  let left = SAMPLE_BYTES;
  for (const { bytes } of objects) {
    for (const chunk of bytes()) {
      sample.push(chunk.subarray(0, left));
      left -= chunk.length;
      if (left <= 0) break;
    }
    if (left <= 0) break;
  }
  const bytes = Buffer.concat(sample);
  return deflateSync(bytes, { level: constants.Z_BEST_SPEED }).length < WORTH_IT * bytes.length;
}

function recipeObject({ digest, text }: Recipe): StoreObject {
  return { digest, size: text.length, bytes: () => [Buffer.from(text)] };
}

function pieceObject(piece: TarPiece): StoreObject {
  return { digest: piece.digest, size: piece.size, bytes: () => asRead(piece) };
}

/** A piece's bytes; a file that is not what it was when it was read is named. */
function* asRead(piece: TarPiece): Generator<Buffer> {
  const hash = createHash("sha256");
  for (const chunk of pieceBytes(piece)) {
    hash.update(chunk);
    yield chunk;
  }
  if (piece.kind === "content" && hash.digest("hex") !== piece.digest)
    throw changedWhileRead(piece.file.path, "changed");
}

function* batchesOf(objects: readonly StoreObject[]): Generator<readonly StoreObject[]> {
  let batch: StoreObject[] = [];
  let bytes = 0;
  for (const object of objects) {
    if (batch.length > 0 && bytes + object.size > BATCH_BYTES) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(object);
    bytes += object.size;
  }
  if (batch.length > 0) yield batch;
}

function distinct<T extends { readonly digest: string }>(all: readonly T[]): readonly T[] {
  return [...new Map(all.map((each) => [each.digest, each])).values()];
}

function sizeOf(objects: readonly { readonly size: number }[]): number {
  return objects.reduce((sum, { size }) => sum + size, 0);
}
