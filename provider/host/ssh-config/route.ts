import { hostname, userInfo } from "node:os";
import { SlipwayError } from "../../errors";
import { stripControl } from "../../secret";
import { type Connection, targetOf } from "../connection";
import { expandHome } from "./expand-home";
import { parseJumps } from "./proxy-jump";
import { type HostOptions, lookUp } from "./ssh-config";
import {
  type ConfigEntry,
  ConfigMistake,
  type ConfigPlaces,
  defaultConfigPlaces,
  readConfigFiles,
} from "./ssh-config-file";
import { type Tokens, expandTokens, expandVariables, hostNameOf } from "./ssh-tokens";

/**
 * A connection with nothing left to look up: what the program gave, and for `sshConfig` what the user's ssh_config adds.
 * A connection without `sshConfig` is its own route.
 */
export interface Route extends Connection {
  readonly proxy?: Route;
  /** The name in outputs and messages, that of the connection as the program gave it. */
  readonly target?: string;
  /** Key files of ssh_config, tried in this order; those that are not there are passed over. */
  readonly identityFiles?: readonly string[];
  /** No key of the agent is offered but those of `identityFiles`. */
  readonly identitiesOnly?: boolean;
  /** Agent socket of ssh_config; "none" for none. */
  readonly identityAgent?: string;
  /** known_hosts files of ssh_config; those that are not there are passed over. */
  readonly knownHostsFiles?: readonly string[];
  /** The name to look up in known_hosts, without a port. */
  readonly hostKeyAlias?: string;
}

/** What is asked of the machine that runs Pulumi. */
export interface RouteContext {
  readonly places: ConfigPlaces;
  readonly environment: NodeJS.ProcessEnv;
  readonly localUser: string;
}

/** What OpenSSH tries where nothing is configured, without the hardware keys. */
const DEFAULT_IDENTITIES = ["~/.ssh/id_rsa", "~/.ssh/id_ecdsa", "~/.ssh/id_ed25519"];
const LONGEST_CHAIN = 8;
/** What OpenSSH (9.6) takes no host or user with. */
const UNFIT = /[\s'`"$\\;&<>|(){}\u0000-\u001f\u007f]|^-|^$/;

/**
 * The way to a machine, read from the user's ssh_config now when the connection says `sshConfig`. Nothing of it is kept.
 * @throws SlipwayError invalid-input, naming the alias, the file and the option that cannot be honoured
 */
export async function routeOf(connection: Connection, context?: RouteContext): Promise<Route> {
  if (!asksForConfig(connection)) return connection;
  const { places, environment, localUser } = context ?? contextOfProcess();
  try {
    const entries = await readConfigFiles(places);
    const resolver = new Resolver(entries, { places, environment, localUser });
    return resolver.resolve(connection, []);
  } catch (error) {
    throw error instanceof ConfigMistake ? mistake([connection.host], error, places) : error;
  }
}

function asksForConfig(connection: Connection): boolean {
  return connection.sshConfig === true || (connection.proxy !== undefined && asksForConfig(connection.proxy));
}

function contextOfProcess(): RouteContext {
  return { places: defaultConfigPlaces(), environment: process.env, localUser: userInfo().username };
}

class Resolver {
  private readonly entries: readonly ConfigEntry[];
  private readonly context: RouteContext;

  constructor(entries: readonly ConfigEntry[], context: RouteContext) {
    this.entries = entries;
    this.context = context;
  }

  /** @param chain the hosts that led here by ProxyJump, to see a circle */
  resolve(connection: Connection, chain: readonly string[]): Route {
    const { proxy, ...own } = connection;
    const given = proxy === undefined ? undefined : this.resolve(proxy, chain);
    if (connection.sshConfig !== true) return { ...own, ...(given && { proxy: given }) };
    try {
      const found = lookUp(this.entries, {
        host: connection.host,
        user: connection.user,
        localUser: this.context.localUser,
      });
      if (!found.named && chain.length === 0) throw this.unnamed(connection);
      return this.routeFrom(own, found, given, chain);
    } catch (error) {
      if (!(error instanceof ConfigMistake)) throw error;
      throw mistake([...chain, connection.host], error, this.context.places);
    }
  }

  private routeFrom(
    own: Omit<Connection, "proxy">,
    found: HostOptions,
    given: Route | undefined,
    chain: readonly string[],
  ): Route {
    const first = (keyword: string): string | undefined => found.values.get(keyword)?.[0];
    refuseUnfollowed(first);
    const host = fit("HostName", hostNameOf(first("hostname") ?? own.host, own.host));
    const port = own.port ?? portFrom(first("port"));
    const user = own.user ?? fit("User", first("user") ?? this.context.localUser);
    const tokens = this.tokens({ host, port, user, alias: own.host, keyAlias: first("hostkeyalias") });
    const path = (option: string, text: string): string => this.path(option, text, tokens);
    const proxy = given ?? this.proxyFrom(own, first, tokens, chain);
    const keyAlias = first("hostkeyalias");
    const agent = first("identityagent");
    const files = [
      ...(found.values.get("userknownhostsfile") ?? ["~/.ssh/known_hosts", "~/.ssh/known_hosts2"]),
      ...(found.values.get("globalknownhostsfile") ?? [
        "/etc/ssh/ssh_known_hosts",
        "/etc/ssh/ssh_known_hosts2",
      ]),
    ];
    const ownKey = own.privateKey ?? own.privateKeyPath;
    const identities = found.identityFiles.length > 0 ? found.identityFiles : DEFAULT_IDENTITIES;
    return {
      ...own,
      sshConfig: false, // done
      target: targetOf(own),
      host,
      user,
      port,
      ...(proxy && { proxy }),
      ...(ownKey === undefined && {
        identityFiles: identities.filter((file) => file !== "none").map((file) => path("IdentityFile", file)),
      }),
      ...(first("identitiesonly") === "yes" && { identitiesOnly: true }),
      ...(agent !== undefined && { identityAgent: this.agentPath(agent, path) }),
      ...(own.knownHosts === undefined && {
        knownHostsFiles: files
          .filter((file) => file !== "none")
          .map((file) => path("UserKnownHostsFile", file)),
      }),
      ...(keyAlias !== undefined && { hostKeyAlias: fit("HostKeyAlias", keyAlias) }),
    };
  }

  private proxyFrom(
    connection: Omit<Connection, "proxy">,
    first: (keyword: string) => string | undefined,
    tokens: Tokens,
    chain: readonly string[],
  ): Route | undefined {
    const command = first("proxycommand");
    if (command !== undefined && command.toLowerCase() !== "none") {
      throw new ConfigMistake(
        "ProxyCommand would run a program on this machine, which Slipway never does; give the connection a proxy, or use ProxyJump",
      );
    }
    const jump = first("proxyjump");
    if (jump === undefined || jump.toLowerCase() === "none") return undefined;
    const nextChain = [...chain, connection.host];
    if (nextChain.length > LONGEST_CHAIN) {
      throw new ConfigMistake(`ProxyJump leads in a circle: ${nextChain.join(", ")}`);
    }
    // each is reached through the one before it; only the first goes by the ProxyJump of its own section
    return parseJumps(expandTokens("ProxyJump", jump, tokens)).reduce<Route | undefined>((before, hop) => {
      const { host, user } = hop;
      fit("ProxyJump", host);
      if (user !== undefined) fit("ProxyJump", user);
      if (nextChain.includes(host))
        throw new ConfigMistake(`ProxyJump leads in a circle: ${[...nextChain, host].join(", ")}`);
      const { dialErrorLimit, perDialTimeout } = connection;
      const plain: Connection = {
        ...hop,
        sshConfig: true,
        ...(dialErrorLimit !== undefined && { dialErrorLimit }),
        ...(perDialTimeout !== undefined && { perDialTimeout }),
      };
      return this.resolve(before === undefined ? plain : { ...plain, proxy: before }, nextChain);
    }, undefined);
  }

  private tokens(way: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly alias: string;
    readonly keyAlias: string | undefined;
  }): Tokens {
    const { localUser, places } = this.context;
    return {
      h: way.host,
      n: way.alias,
      p: String(way.port),
      r: way.user,
      k: way.keyAlias ?? way.alias,
      d: places.home,
      u: localUser,
      i: String(process.getuid?.() ?? ""),
      l: hostname(),
      L: hostname().split(".")[0] ?? "",
    };
  }

  private path(option: string, text: string, tokens: Tokens): string {
    const named = expandVariables(option, text, this.context.environment);
    return expandHome(expandTokens(option, named, tokens), this.context.places.home);
  }

  /** `SSH_AUTH_SOCK` and `$NAME` stand for the environment's value. */
  private agentPath(text: string, path: (option: string, text: string) => string): string {
    const name = text === "SSH_AUTH_SOCK" ? text : /^\$(\w+)$/.exec(text)?.[1];
    return name === undefined ? path("IdentityAgent", text) : (this.context.environment[name] ?? "none");
  }

  private unnamed({ host }: Connection): ConfigMistake {
    const { user, system } = this.context.places;
    return new ConfigMistake(`no Host or Match section of ${user} or ${system} names ${host}`);
  }
}

/** What would lead elsewhere, or trust a key that the user does not. */
function refuseUnfollowed(first: (keyword: string) => string | undefined): void {
  const canonical = first("canonicalizehostname")?.toLowerCase();
  if (canonical === "yes" || canonical === "always") {
    throw new ConfigMistake(
      `CanonicalizeHostname ${canonical} is not followed here; give the section a HostName and this option "no"`,
    );
  }
  const revoked = first("revokedhostkeys");
  if (revoked !== undefined && revoked.toLowerCase() !== "none") {
    throw new ConfigMistake(
      "RevokedHostKeys is not read here; put the keys into known_hosts as @revoked lines",
    );
  }
}

function portFrom(text: string | undefined): number {
  if (text === undefined) return 22;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65_535) return port;
  throw new ConfigMistake(`Port ${shown(text)} is no port number`);
}

function fit(option: string, text: string): string {
  if (!UNFIT.test(text) && !(option === "User" && text.includes("%"))) return text;
  throw new ConfigMistake(
    `${option} "${shown(text)}" holds characters that no ${option === "User" ? "user" : "host"} has`,
  );
}

function shown(text: string): string {
  return stripControl(text).slice(0, 60);
}

function mistake(
  names: readonly string[],
  cause: ConfigMistake,
  { user, system }: ConfigPlaces,
): SlipwayError {
  const way = names.slice(0, -1).map((name) => `"${shown(name)}"`);
  return new SlipwayError({
    code: "invalid-input",
    what: `looking up "${shown(names.at(-1) ?? "")}"${way.length === 0 ? "" : `, the way to ${way.join(", ")},`} in ssh_config`,
    why: stripControl(cause.message),
    left: "Nothing was dialled",
    next: `Mend ${user} (then ${system} is read), or give the connection's fields in the program: they go before the file's`,
    cause,
  });
}
