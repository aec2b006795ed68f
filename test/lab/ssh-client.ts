import { Client, type ConnectConfig } from "ssh2";
import type { LabConnection } from "./lab-host";

/** What a remote command left. */
export interface RemoteOutcome {
  readonly code: number;
  /** stdout and stderr together, trimmed. */
  readonly out: string;
}

/** Logs in like any SSH client, without a look at the host key, and runs one command line. */
export function overSsh(connection: LabConnection, command: string, input = ""): Promise<RemoteOutcome> {
  return withClient(connection, {}, (client, resolve, reject) => {
    client.exec(command, (error, channel) => {
      if (error !== undefined) {
        reject(error);
        return;
      }
      let out = "";
      let code = -1;
      channel.on("data", (chunk: Buffer) => (out += chunk.toString()));
      channel.stderr.on("data", (chunk: Buffer) => (out += chunk.toString()));
      channel.on("exit", (exit: number) => (code = exit));
      channel.on("close", () => resolve({ code, out: out.trim() }));
      channel.end(input);
    });
  });
}

/** The host key that is really presented, in the form of a known_hosts line. */
export async function presentedHostKey(connection: LabConnection): Promise<string> {
  let key = Buffer.alloc(0);
  const hostVerifier = (presented: Buffer): boolean => {
    key = Buffer.from(presented);
    return true;
  };
  await withClient(connection, { hostVerifier }, (_client, resolve) => resolve(undefined));
  const type = key.subarray(4, 4 + key.readUInt32BE(0)).toString();
  return `${type} ${key.toString("base64")}`;
}

function withClient<T>(
  connection: LabConnection,
  more: ConnectConfig,
  use: (client: Client, resolve: (value: T) => void, reject: (error: Error) => void) => void,
): Promise<T> {
  const { host, port, user, privateKey, password } = connection;
  const secret = privateKey === undefined ? { password: password ?? "" } : { privateKey };
  const client = new Client();
  const result = new Promise<T>((resolve, reject) => {
    client.on("error", reject);
    client.on("ready", () => use(client, resolve, reject));
    client.connect({ host, port, username: user, ...secret, ...more });
  });
  return result.finally(() => client.end());
}
