import { Readable } from "node:stream";
import { SlipwayError } from "../errors";
import { assertOutcomeKnown } from "../host/known-outcome";
import type { CommandOutcome, HostSession } from "../host/session";
import type { Log } from "../log";
import { nonce } from "../nonce";
import { stripControl, tail } from "../secret";
import { type RecipeBook, recipeBook } from "./context-recipe";
import type { TarPiece } from "./context-tar";
import type { SentMemory } from "./sent-memory";
import {
  type StoreObject,
  compressed,
  pieceObject,
  recipeObject,
  shrinks,
  sizeOf,
  tarOf,
} from "./store-object";
import { NO_SPACE, NO_STORE, NOT_WHOLE, TAKE, VERIFY } from "./store-scripts";
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
  readonly memory: SentMemory;
  readonly random: () => number;
  /** Milliseconds of the calendar. */
  readonly wall: () => number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** What a host says of a context. */
export interface StoreAnswer {
  readonly book: RecipeBook;
  /** The folder of its store, absolute. */
  readonly store: string;
  /** Digests of the recipes that it has not got, and of the pieces that the others name. */
  readonly missing: readonly string[];
  /** Of pieces that went with the question. */
  readonly sentBytes: number;
}

/** So much is sent before the host looks at it and keeps it: what a lost connection costs at most, a larger file excepted. */
const BATCH_BYTES = 32 << 20;
/** So much goes along with a question that it may have been needless for. */
const GUESS_BYTES = 256 << 10;
/** What a file takes on a disk at least. */
const BLOCK_KB = 4;

/**
 * Asks a host what it has not got of a context's tar. What no earlier run sent there goes along where that is little: then nothing
 * more has to be sent, as a rule. Undefined where the host can have no store: then the tar goes by itself.
 * @throws SlipwayError context-changed, image-build-failed (no space), connection-lost: what came whole is kept for the next run
 */
export async function askStore(
  session: HostSession,
  pieces: readonly TarPiece[],
  options: StoreOptions,
): Promise<StoreAnswer | undefined> {
  const { memory } = options;
  const book = recipeBook(pieces);
  const fresh = memory.isEmpty ? [] : pieces.filter(({ digest }) => !memory.has(digest));
  const recipes = memory.isEmpty ? [] : book.recipes.filter(({ digest }) => !memory.has(digest));
  const isLittle = sizeOf(fresh) <= GUESS_BYTES;
  const objects = distinct([book, ...recipes].map(recipeObject));
  const guessed = isLittle ? distinct(fresh.map(pieceObject)) : [];
  const run = { session, options, book: book.digest };
  const outcome = await take(run, [...objects, ...guessed], sizeOf([...objects, ...guessed]), "ask");
  if (outcome.code === NO_STORE) return undefined;
  const [first = "", ...missing] = mustBeZero(run, outcome);
  return { book, store: first.replace(/^store /, ""), missing, sentBytes: sizeOf(guessed) };
}

/**
 * Brings onto the host what it said it has not got.
 * @throws SlipwayError as `askStore`
 */
export async function fillStore(
  session: HostSession,
  pieces: readonly TarPiece[],
  { book, store, missing: asked, sentBytes }: StoreAnswer,
  options: StoreOptions,
): Promise<StoredContext> {
  const run = { session, options, book: book.digest };
  const missing = new Set(asked);
  const recipes = distinct(book.recipes.filter(({ digest }) => missing.has(digest)).map(recipeObject));
  if (recipes.length > 0) {
    const [, ...names] = mustBeZero(run, await take(run, recipes, sizeOf(recipes), "ask"));
    for (const name of names) missing.add(name);
  }
  const wanted = distinct(pieces.filter(({ digest }) => missing.has(digest)).map(pieceObject));
  const bytes = sizeOf(wanted);
  if (bytes > 0) options.log.progress(`context: ${formatBytes(bytes)} are not on ${session.target} yet`);
  let sent = 0;
  for (const batch of batchesOf(wanted)) {
    mustBeZero(run, await take(run, batch, bytes - sent, "keep", { bytes: sent, ofBytes: bytes }));
    sent += sizeOf(batch);
  }
  options.memory.save([...book.recipes, ...pieces], options.wall());
  return { store, book: book.digest, sentBytes: sentBytes + bytes };
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
  /** The digest of the recipe book. */
  readonly book: string;
}

type Exited = Extract<CommandOutcome, { kind: "exited" }>;

/** Sends objects in one tar, and has the host keep them, or also say what it has not got. */
async function take(
  run: Run,
  objects: readonly StoreObject[],
  needBytes: number,
  then: "ask" | "keep",
  sent?: Sent,
): Promise<Exited> {
  const { options, book } = run;
  const plain = Readable.from(tarOf(objects), { objectMode: true, highWaterMark: 4 });
  let broken: Error | undefined;
  plain.on("error", (error) => (broken = error));
  const counted = sent === undefined ? plain : withProgress(plain, sent, options.log);
  const isSmaller = shrinks(objects);
  const stdin = isSmaller ? compressed(counted) : counted;
  const needKb = Math.ceil(needBytes / 1024) + objects.length * BLOCK_KB;
  const how = isSmaller ? "gzip" : "plain";
  const args = [book, nonce(options.random), how, String(objects.length), String(needKb), then];
  try {
    const outcome = await call(run, TAKE, args, stdin);
    if (outcome.code === NO_SPACE) throw noSpace(run, outcome, needKb);
    return outcome;
  } catch (error) {
    throw broken ?? error;
  } finally {
    plain.destroy();
  }
}

async function call(
  { session, options }: Omit<Run, "book">,
  text: string,
  args: readonly string[],
  stdin?: Readable,
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
function mustBeZero({ session }: Omit<Run, "book">, outcome: Exited): readonly string[] {
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
