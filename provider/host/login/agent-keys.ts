import { connect } from "node:net";
import {
  BaseAgent,
  type IdentityCallback,
  type ParsedKey,
  type SignCallback,
  type SigningRequestOptions,
  createAgent,
  utils,
} from "ssh2";
import { messageOf } from "../../errors";
import { stripControl } from "../../secret";
import { fingerprintOf } from "../host-key/host-key";
import { keyTypeIn } from "./openssh-key";

/** A key that an agent holds and ssh2 can use. */
export interface AgentKey {
  readonly blob: Buffer;
  /** `SHA256:… (comment)` */
  readonly label: string;
  readonly key: ParsedKey;
}

/** What an agent holds. */
export interface AgentKeys {
  readonly usable: readonly AgentKey[];
  /** Types of those that ssh2 cannot use: keys in hardware, certificates. */
  readonly unusable: readonly string[];
}

/** ssh2's name for PuTTY's agent on Windows, which has no socket. */
const PAGEANT = "pageant";
const HUNG_UP = "it closed the connection without an answer";
const ANSWER_WITHIN_MS = 5_000;
const REQUEST_IDENTITIES = 11;
const IDENTITIES_ANSWER = 12;

/**
 * Asks an agent for its keys. Nothing is signed.
 * @throws Error when nothing answers at the socket, in words for the reader
 */
export async function agentKeys(socketPath: string): Promise<AgentKeys> {
  const found = await (socketPath === PAGEANT ? pageantIdentities() : identities(socketPath));
  const parsed = found.map(({ blob, comment }) => ({ blob, comment, key: utils.parseKey(blob) }));
  return {
    usable: parsed.flatMap(({ blob, comment, key }) => {
      if (key instanceof Error || isCertificate(blob)) return [];
      const name = stripControl(comment).replace(/\s+/g, " ").slice(0, 60);
      return [{ blob, key, label: `${fingerprintOf(blob)}${name === "" ? "" : ` (${name})`}` }];
    }),
    unusable: parsed.flatMap(({ blob, key }) =>
      key instanceof Error || isCertificate(blob)
        ? [stripControl(keyTypeIn(blob) ?? "unknown").slice(0, 60)]
        : [],
    ),
  };
}

function isCertificate(blob: Buffer): boolean {
  return keyTypeIn(blob)?.includes("-cert-v01@") ?? false;
}

/** One key of an agent, as an agent of its own: ssh2 would offer all, until the machine hangs up. */
export class OneKeyAgent extends BaseAgent {
  /** Why nothing was signed. */
  complaint: string | undefined;
  private readonly socketPath: string;
  private readonly key: ParsedKey;

  constructor(socketPath: string, key: ParsedKey) {
    super();
    this.socketPath = socketPath;
    this.key = key;
  }

  override getIdentities(done: IdentityCallback<ParsedKey>): void {
    done(null, [this.key]);
  }

  override sign(
    key: string | Buffer | ParsedKey,
    data: Buffer,
    options: SigningRequestOptions | SignCallback,
    callback?: SignCallback,
  ): void {
    // ssh2 itself always gives both
    const [how, done] = typeof options === "function" ? [{}, options] : [options, callback ?? (() => {})];
    const fail = (why: string): void => {
      this.complaint = why;
      done(new Error(why));
    };
    if (this.key.type === "ssh-rsa" && !/^sha(256|512)$/.test(how.hash ?? "")) {
      fail("the machine takes RSA keys with SHA-1 signatures only");
      return;
    }
    createAgent(this.socketPath).sign(key, data, how, (error, signature) => {
      if (error) fail("the agent did not sign");
      else done(null, signature);
    });
  }
}

interface Identity {
  readonly blob: Buffer;
  readonly comment: string;
}

/** ssh2 has this too, but hides why an agent does not answer and which keys it leaves out. */
function identities(socketPath: string): Promise<readonly Identity[]> {
  return new Promise((resolve, reject) => {
    let bytes = Buffer.alloc(0);
    const socket = connect(socketPath);
    const end = (error: Error | undefined, found: readonly Identity[] = []): void => {
      socket.destroy();
      if (error === undefined) resolve(found);
      else reject(error);
    };
    socket.setTimeout(ANSWER_WITHIN_MS, () =>
      end(new Error(`it does not answer within ${ANSWER_WITHIN_MS / 1_000} s`)),
    );
    socket.on("error", (error) => end(new Error(whyNot(error), { cause: error })));
    socket.on("close", () => end(new Error(HUNG_UP)));
    socket.on("connect", () => socket.write(Buffer.from([0, 0, 0, 1, REQUEST_IDENTITIES])));
    socket.on("data", (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (bytes.length < 5 || bytes.length < 4 + bytes.readUInt32BE(0)) return;
      try {
        end(undefined, parseAnswer(bytes.subarray(4)));
      } catch (error) {
        end(new Error(`it does not speak as an agent does: ${messageOf(error)}`));
      }
    });
  });
}

function pageantIdentities(): Promise<readonly Identity[]> {
  return new Promise((resolve, reject) => {
    createAgent(PAGEANT).getIdentities((error, keys) => {
      if (error) return reject(error);
      const parsed = (keys ?? []).map((key) => utils.parseKey(key as Buffer));
      const usable = parsed.flatMap((key) => (key instanceof Error ? [] : [key]));
      resolve(usable.map((key) => ({ blob: key.getPublicSSH(), comment: key.comment })));
    });
  });
}

function parseAnswer(answer: Buffer): readonly Identity[] {
  if (answer[0] !== IDENTITIES_ANSWER) throw new Error(`answer ${String(answer[0])}`);
  let at = 5;
  const next = (): Buffer => {
    const start = at + 4;
    at = start + answer.readUInt32BE(at);
    if (at > answer.length) throw new Error("the answer is cut");
    return answer.subarray(start, at);
  };
  return Array.from({ length: answer.readUInt32BE(1) }, () => ({ blob: next(), comment: next().toString() }));
}

function whyNot(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case "ENOENT":
      return "there is no such socket";
    case "ECONNREFUSED":
      return "nobody listens there any more";
    case "EACCES":
      return "this user may not open it";
    case "EPIPE":
    case "ECONNRESET":
      return HUNG_UP;
    default:
      return messageOf(error);
  }
}
