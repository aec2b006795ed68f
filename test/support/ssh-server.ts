import { testKey } from "../lab/test-key";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import type { Writable } from "node:stream";
import {
  type Algorithms,
  type AuthContext,
  type Connection as ServerConnection,
  Server,
  type ServerChannel,
  type Session,
  utils,
} from "ssh2";
import type { Connection } from "../../provider/host/connection";
import { fingerprintOf } from "../../provider/host/host-key/host-key";
import { dropStrict } from "./without-strict";

/** How the server behaves where it differs from a plain sshd. */
export interface SshServerOptions {
  readonly hostKey?: string;
  readonly port?: number;
  /** Session channels open at once; further ones are refused. @default 10 */
  readonly maxSessions?: number;
  /** What `exec` does; by default the line is run by /bin/sh on this machine. */
  readonly onExec?: (line: string, channel: ServerChannel, connection: ServerConnection) => void;
  /** The real socket behind /var/run/docker.sock; without one, streamlocal is refused. */
  readonly engineSocket?: string;
  /** The password that logs in; without one, only the key does. */
  readonly password?: string;
  /** Public keys that log in, besides the server's own. */
  readonly authorizedKeys?: readonly string[];
  /** Judges each request to log in instead of the server itself. */
  readonly onAuthentication?: (context: AuthContext) => void;
  /** Further host keys, of other types than `hostKey`. */
  readonly otherHostKeys?: readonly string[];
  /** What it offers; `hmac` and `cipher` are those of ssh2 otherwise. */
  readonly algorithms?: Algorithms;
  /** Like a server from before 2023: no strict key exchange. */
  readonly withoutStrict?: boolean;
  /** Like AllowTcpForwarding no. */
  readonly refusesForwarding?: boolean;
}

export type SshTestServer = Awaited<ReturnType<typeof startSshServer>>;

/** An SSH server in this process: counts what is asked of it, and can be told to misbehave. */
export async function startSshServer(options: SshServerOptions = {}) {
  const hostKey = options.hostKey ?? testKey().privateKey;
  const user = testKey();
  const counts = {
    logins: 0,
    attempts: 0,
    sessionsOpen: 0,
    mostSessionsOpen: 0,
    streamLocal: 0,
    streamLocalOpen: 0,
    refusedSessions: 0,
    /** Clients that ended their side in order. */
    ends: 0,
    /** Signs of life that clients asked for. */
    questions: 0,
  };
  const lines: string[] = [];
  const connections = new Set<ServerConnection>();

  // ident as OpenSSH's, or ssh2 would not ask for streamlocal
  const { algorithms } = options;
  const hostKeys = [hostKey, ...(options.otherHostKeys ?? [])];
  const config = { hostKeys, ident: "OpenSSH_9.9", ...(algorithms && { algorithms }) };
  const server = new Server(config, (connection) => {
    connections.add(connection);
    if (options.withoutStrict === true) dropStrict(connection);
    connection.on("end", () => counts.ends++);
    connection.on("request", (_accept, reject) => {
      counts.questions++;
      reject?.();
    });
    connection.on("close", () => connections.delete(connection));
    connection.on("error", () => {}); // clients that leave
    let open = 0;
    connection.on("authentication", (context) => {
      if (options.onAuthentication !== undefined) return options.onAuthentication(context);
      if (context.method === "none") return context.reject(["publickey", "password"]);
      if (context.method === "publickey") {
        const allowed = [user.publicKey, ...(options.authorizedKeys ?? [])].map((text) =>
          utils.parseKey(text),
        );
        const { data } = context.key;
        if (!allowed.some((key) => !(key instanceof Error) && data.equals(key.getPublicSSH()))) {
          counts.attempts++;
          return context.reject(["publickey", "password"]);
        }
        return context.accept();
      }
      counts.attempts++;
      if (context.method === "password" && context.password === options.password) return context.accept();
      context.reject(["publickey", "password"]);
    });
    connection.on("ready", () => counts.logins++);
    connection.on("session", (accept, reject) => {
      if (open >= (options.maxSessions ?? 10)) {
        counts.refusedSessions++;
        return reject();
      }
      open++;
      counts.sessionsOpen++;
      counts.mostSessionsOpen = Math.max(counts.mostSessionsOpen, open);
      serve(accept(), connection, () => {
        open--;
        counts.sessionsOpen--;
      });
    });
    connection.on("openssh.streamlocal", (accept, reject) => {
      counts.streamLocal++;
      if (options.engineSocket === undefined) return reject();
      const channel = accept();
      counts.streamLocalOpen++;
      const socket = connect({ path: options.engineSocket, allowHalfOpen: true });
      socket.on("error", () => channel.close());
      channel.on("close", () => {
        counts.streamLocalOpen--;
        socket.destroy();
      });
      channel.pipe(socket);
      socket.pipe(channel, { end: false });
      // as sshd: when the daemon ends its side, the client hears so and may still send
      socket.on("end", () => channel.eof());
      socket.on("finish", () => channel.close());
    });
    if (options.refusesForwarding === true) return; // what nobody listens for is prohibited
    connection.on("tcpip", (accept, _reject, { destIP, destPort }) => {
      const channel = accept();
      const socket = connect(destPort, destIP);
      socket.on("error", () => channel.close());
      channel.on("close", () => socket.destroy());
      channel.pipe(socket).pipe(channel);
    });
  });

  function serve(session: Session, connection: ServerConnection, ended: () => void): void {
    session.on("exec", (accept, _reject, { command }) => {
      lines.push(command);
      const channel = accept();
      channel.on("error", () => {});
      // as sshd: the place is free when the close is sent, not when everything was read
      const close = channel.close.bind(channel);
      let closing = false;
      channel.close = () => {
        if (!closing) ended();
        closing = true;
        close();
      };
      (options.onExec ?? runInShell)(command, channel, connection);
    });
  }

  server.listen(options.port ?? 0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const parsed = utils.parseKey(hostKey);
  if (parsed instanceof Error) throw parsed;
  const publicKey = parsed.getPublicSSH();
  const fingerprint = fingerprintOf(publicKey);
  const connection: Connection = {
    host: "127.0.0.1",
    port,
    user: "root",
    privateKey: user.privateKey,
    hostKey: fingerprint,
    dialErrorLimit: 1,
  };
  return {
    port,
    fingerprint,
    publicKey,
    privateHostKey: hostKey,
    counts,
    lines,
    /** How the right user reaches this server. */
    connection,
    connectionsOpen: (): number => connections.size,
    /** Cuts every line without a word. */
    drop(): void {
      for (const each of connections) (each as unknown as { _sock: { destroy(): void } })._sock.destroy();
    },
    async stop(): Promise<void> {
      for (const each of connections) each.end();
      server.close();
      await once(server, "close");
    },
  };
}

/** Runs the line by this machine's sh, as sshd would run it by the user's login shell. */
export function runInShell(line: string, channel: ServerChannel): void {
  const child = spawn("/bin/sh", ["-c", line]);
  channel.pipe(child.stdin);
  child.stdin.on("error", () => {}); // the command did not read to the end
  child.stdout.pipe(channel, { end: false });
  child.stderr.pipe(channel.stderr, { end: false });
  channel.once("close", () => child.kill());
  child.once("close", (code, signal) => {
    // a close overtakes what still waits for the client's window
    void Promise.all([flushed(channel), flushed(channel.stderr)]).then(() => {
      if (code === null) channel.exit(signal?.replace(/^SIG/, "") ?? "TERM", false, "");
      else channel.exit(code);
      channel.close();
    });
  });
}

function flushed(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    if (stream.writableEnded) return resolve();
    stream.write("", () => resolve());
  });
}
