import { matchesPatterns } from "./pattern-list";
import { type ConfigEntry, ConfigMistake } from "./ssh-config-file";
import { hostNameOf } from "./ssh-tokens";

/** What a configuration says of one host: each option's first value, and all of its IdentityFile lines. */
export interface HostOptions {
  /** True when a section names the host other than by `*` alone. */
  readonly named: boolean;
  /** Values by keyword in lower case. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly identityFiles: readonly string[];
}

/** For whom it is asked. */
export interface Question {
  /** The name as the program gives it. */
  readonly host: string;
  /** The user that the program gives, which goes before the file's. */
  readonly user: string | undefined;
  readonly localUser: string;
}

/** Options that we honour, or refuse because they would change the way to the host. */
const WEIGHTY = new Set([
  ...["hostname", "user", "port", "identityfile", "identityagent", "identitiesonly"],
  ...["proxyjump", "proxycommand", "userknownhostsfile", "globalknownhostsfile"],
  ...["hostkeyalias", "revokedhostkeys", "canonicalizehostname"],
]);

/**
 * What the configuration says of a host, by OpenSSH's rules: `Host` and `Match` sections in the order of the files, the
 * first value wins, and a second reading under the resolved name when `Match final` asks for one. Runs no command, ever.
 * (The parser's own `compute` does: `Match exec`, and nslookup for CanonicalizeHostname. Nor does it follow Include.)
 * @throws ConfigMistake for a `Match` that cannot be decided here and holds an option that counts
 */
export function lookUp(entries: readonly ConfigEntry[], question: Question): HostOptions {
  const reading = new Reading(question);
  reading.take(entries);
  if (reading.wantsFinal) {
    reading.settleHostName();
    reading.take(entries);
  }
  return reading;
}

class Reading implements HostOptions {
  named = false;
  final = false;
  wantsFinal = false;
  host: string;
  readonly values = new Map<string, readonly string[]>();
  readonly identityFiles: string[] = [];
  private readonly question: Question;

  constructor(question: Question) {
    this.question = question;
    this.host = question.host;
    if (question.user !== undefined) this.values.set("user", [question.user]);
  }

  /** The name to connect to, as far as it is known by now. */
  get hostName(): string {
    return hostNameOf(this.values.get("hostname")?.[0] ?? this.question.host, this.question.host);
  }

  /** For the second reading: the name is what the first found, and sections are matched against it. */
  settleHostName(): void {
    this.final = true;
    this.host = this.hostName;
    this.values.set("hostname", [this.host.replaceAll("%", "%%")]);
  }

  take(entries: readonly ConfigEntry[]): void {
    for (const entry of entries) {
      if (entry.kind === "option") this.set(entry.keyword, entry.values);
      else if (entry.kind === "include" || this.speaksOf(entry)) this.take(entry.entries);
    }
  }

  private set(keyword: string, values: readonly string[]): void {
    if (keyword === "identityfile") {
      this.identityFiles.push(...values.filter((value) => !this.identityFiles.includes(value)));
    } else if (!this.values.has(keyword)) {
      // whichever of the two comes first holds, and shuts the other out
      if (keyword === "proxycommand" && this.values.has("proxyjump")) return;
      if (keyword === "proxyjump" && this.values.has("proxycommand")) return;
      this.values.set(keyword, values);
    }
  }

  private speaksOf(section: Extract<ConfigEntry, { kind: "section" }>): boolean {
    if (section.keyword === "match") return this.meets(section.words, section.entries);
    const matched = matchesPatterns(section.words, this.host);
    this.named ||=
      matched && section.words.some((word) => word !== "*" && matchesPatterns([word], this.host));
    return matched;
  }

  private meets(words: readonly string[], entries: readonly ConfigEntry[]): boolean {
    let met = true;
    const open: string[] = [];
    for (let at = 0; at < words.length; at++) {
      const word = (words[at] ?? "").toLowerCase();
      const negated = word.startsWith("!");
      const criterion = negated ? word.slice(1) : word;
      const needsValue = !["all", "canonical", "final"].includes(criterion);
      const verdict = this.judge(criterion, needsValue ? (words[++at] ?? "") : "");
      if (verdict === undefined) open.push(`Match ${criterion}`);
      else if (verdict === negated) met = false;
    }
    if (met && open.length > 0 && entries.some(isWeighty)) {
      const names = entries.flatMap((entry) =>
        entry.kind === "option" && isWeighty(entry) ? [entry.keyword] : [],
      );
      throw new ConfigMistake(
        `${open.join(", ")} cannot be decided here (no command is run), and ${names.join(", ") || "an Include"} rests on it`,
      );
    }
    return met && open.length === 0;
  }

  /** Whether one criterion is met; undefined when that cannot be known without running something. */
  private judge(criterion: string, value: string): boolean | undefined {
    switch (criterion) {
      case "all":
        return true;
      case "final":
        this.wantsFinal = true;
        return this.final;
      case "canonical":
        return this.final;
      case "host":
      case "originalhost": {
        const name = criterion === "host" ? this.hostName : this.question.host;
        const matched = matchesPatterns(value.toLowerCase().split(","), name.toLowerCase());
        this.named ||= matched && value !== "*";
        return matched;
      }
      case "user":
        return matchesPatterns(value.split(","), this.values.get("user")?.[0] ?? this.question.localUser);
      case "localuser":
        return matchesPatterns(value.split(","), this.question.localUser);
      default:
        return undefined;
    }
  }
}

function isWeighty(entry: ConfigEntry): boolean {
  if (entry.kind === "option") return WEIGHTY.has(entry.keyword);
  return entry.entries.some(isWeighty);
}
