import { createHash } from "node:crypto";
import { applyDelta } from "./delta";
import { type ObjectKind, type PackEntry, PackError, PackFile } from "./pack-file";
import { turnsUntil } from "../turns";

/** An object of a repository. */
export interface GitObject {
  readonly kind: ObjectKind;
  readonly data: Buffer;
}

/** What was unpacked last, for the changes that rest on it. */
const KEPT_BYTES = 96 << 20;

/**
 * The objects of a pack, by ids that are computed from their very content: whoever asks for an id gets what it stands for, whatever
 * the server sent.
 */
export class Pack {
  private readonly file: PackFile;
  private readonly giveTurn: (bytes: number) => Promise<void>;
  private readonly byId = new Map<string, PackEntry>();
  private readonly byPlace = new Map<number, PackEntry>();
  private readonly kept = new Map<number, GitObject>();
  private keptBytes = 0;

  private constructor(file: PackFile, signal: AbortSignal) {
    this.file = file;
    this.giveTurn = turnsUntil(signal);
  }

  /** Reads a pack once from end to end. It has to be closed. @throws PackError */
  static async open(path: string, signal: AbortSignal): Promise<Pack> {
    const file = new PackFile(path);
    const pack = new Pack(file, signal);
    try {
      await pack.index();
      return pack;
    } catch (error) {
      file.close();
      throw error;
    }
  }

  close(): void {
    this.file.close();
  }

  /** @throws PackError where it is not there, or of another kind */
  read(id: string, kind: ObjectKind): Buffer {
    const found = this.find(id);
    if (found === undefined) throw new PackError(`a pack without the ${kind} ${id}`);
    if (found.kind !== kind) throw new PackError(`a ${found.kind} where a ${kind} should be, ${id}`);
    return found.data;
  }

  find(id: string): GitObject | undefined {
    const entry = this.byId.get(id);
    return entry === undefined ? undefined : this.contents(entry);
  }

  private async index(): Promise<void> {
    const changes: PackEntry[] = [];
    let at = 12;
    for (let left = this.file.count(); left > 0; left--) {
      const entry = this.file.entry(at);
      const { data, end } = this.file.inflate(entry);
      this.byPlace.set(at, entry);
      if (typeof entry.what === "string") this.byId.set(idOf({ kind: entry.what, data }), entry);
      else changes.push(entry);
      at = end;
      await this.giveTurn(data.length);
    }
    await this.resolve(changes);
  }

  /** A change may rest on an object that comes after it, itself a change. */
  private async resolve(changes: readonly PackEntry[]): Promise<void> {
    let open = changes;
    while (open.length > 0) {
      const waiting: PackEntry[] = [];
      for (const entry of open) {
        const found = this.contents(entry);
        if (found === undefined) waiting.push(entry);
        else this.byId.set(idOf(found), entry);
        await this.giveTurn(found?.data.length ?? 0);
      }
      if (waiting.length === open.length) throw new PackError("a pack that refers to what is not in it");
      open = waiting;
    }
  }

  /** Undefined while what it rests on has no id yet. */
  private contents(entry: PackEntry): GitObject | undefined {
    const chain: PackEntry[] = [];
    let under = entry;
    let found = this.kept.get(under.at);
    while (found === undefined && typeof under.what === "object") {
      chain.push(under);
      const { changes } = under.what;
      const next = typeof changes === "string" ? this.byId.get(changes) : this.byPlace.get(changes);
      if (next === undefined) {
        if (typeof changes === "string") return undefined;
        throw new PackError("a pack that refers to what is not in it");
      }
      under = next;
      found = this.kept.get(under.at);
    }
    if (found === undefined) {
      if (typeof under.what === "object") return undefined;
      found = this.keep(under, { kind: under.what, data: this.file.inflate(under).data });
    }
    for (const change of chain.reverse()) {
      const data = applyDelta(found.data, this.file.inflate(change).data);
      found = this.keep(change, { kind: found.kind, data });
    }
    return found;
  }

  private keep({ at }: PackEntry, object: GitObject): GitObject {
    if (object.data.length > KEPT_BYTES / 4) return object;
    this.kept.set(at, object);
    this.keptBytes += object.data.length;
    for (const [place, { data }] of this.kept) {
      if (this.keptBytes <= KEPT_BYTES) break;
      this.kept.delete(place);
      this.keptBytes -= data.length;
    }
    return object;
  }
}

function idOf({ kind, data }: GitObject): string {
  return createHash("sha1").update(`${kind} ${data.length}\0`).update(data).digest("hex");
}
