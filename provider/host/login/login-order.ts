import type { AnyAuthMethod, ConnectConfig } from "ssh2";
import { SlipwayError } from "../../errors";
import { stripControl } from "../../secret";
import type { Credential } from "./credential";

/** Gives sshd one credential after the other, each once, and keeps what became of it. */
export class LoginOrder {
  private readonly all: readonly Credential[];
  private readonly done = new Set<Credential>();
  private readonly refused: string[] = [];
  private readonly taken: string[] = [];
  private methods: readonly string[] | undefined;
  private passwordRefused = false;
  private current: Credential | undefined;

  constructor(credentials: readonly Credential[]) {
    this.all = credentials;
  }

  /** The credential that sshd is looking at. */
  get pending(): Credential | undefined {
    return this.current;
  }

  /** A credential that could not even be sent. */
  unusable(why: string): void {
    // where the credential knows better, its own words are shown
    if (this.current?.complaint?.() === undefined) this.refused.push(why);
  }

  /** What ssh2 asks for the next credential. */
  readonly handler: NonNullable<ConnectConfig["authHandler"]> = ((
    methodsLeft: readonly string[] | null,
    partialSuccess: boolean | null,
    next: (method: AnyAuthMethod | false) => void,
  ): void => {
    const isFirst = methodsLeft === null && this.current === undefined;
    const sentBlind = this.methods === undefined;
    this.methods = methodsLeft ?? undefined;
    if (this.current !== undefined) this.judge(this.current, partialSuccess === true, sentBlind);
    this.current = this.all.find((each) => this.comesNext(each));
    // a password is not sent to a machine that may not want it: it says first what it takes
    if (isFirst && this.current?.method !== undefined && !isKey(this.current.method)) {
      const { username } = this.current.method;
      this.current = undefined;
      return next({ type: "none", username });
    }
    next(this.current?.method ?? false);
    // ssh2 gives null at first and takes false at last; its types know neither
  }) as NonNullable<ConnectConfig["authHandler"]>;

  /** The error when none was taken; `words` are the machine's, when it hung up in the middle. */
  error(target: string, cause: Error, words?: string): SlipwayError {
    const refused = this.current === undefined ? this.refused : [...this.refused, named(this.current)];
    const says = [
      this.taken.length > 0 ? `the machine took ${this.taken.join(", then ")} and asks for more` : "",
      refused.length > 0 ? `the machine refused ${refused.join(", then ")}` : "",
      words === undefined ? "" : `it hung up: ${words}`,
      this.methods === undefined ? "" : `it takes ${this.offered()}`,
      ...this.notTried(),
    ];
    return new SlipwayError({
      code: "authentication-failed",
      what: "logging in",
      host: target,
      why: says.filter((text) => text !== "").join("; "),
      next: "Check the user name, and that the machine knows this key or password; it was tried once and will not be tried again by itself",
      cause,
    });
  }

  private judge(current: Credential, isTaken: boolean, sentBlind: boolean): void {
    const { method } = current;
    // the machine wants something else first: it did not look at this one
    if (method !== undefined && sentBlind && !isTaken && !this.wants(method)) return;
    this.done.add(current);
    if (isTaken && current.complaint?.() === undefined) {
      this.taken.push(current.label);
      return;
    }
    this.refused.push(named(current));
    if (method !== undefined && !isKey(method)) this.passwordRefused = true;
  }

  private comesNext(credential: Credential): boolean {
    const { method } = credential;
    if (method === undefined || this.done.has(credential)) return false;
    // the same password by another method would be another attempt with it
    if (this.passwordRefused && !isKey(method)) return false;
    return this.wants(method);
  }

  private wants(method: AnyAuthMethod): boolean {
    return this.methods?.includes(method.type === "agent" ? "publickey" : method.type) ?? true;
  }

  private offered(): string {
    const names = (this.methods ?? []).slice(0, 8).map((name) => stripControl(name).slice(0, 40));
    return names.length === 0 ? "nothing" : names.join(", ");
  }

  private notTried(): readonly string[] {
    const left = this.all.filter((each) => !this.done.has(each) && each !== this.current);
    // keyboard-interactive stands beside every password; nobody gave it
    const given = left.filter(({ method }) => method?.type !== "keyboard-interactive");
    return given.length === 0 ? [] : [`not tried: ${given.map(({ label }) => label).join(", ")}`];
  }
}

function isKey(method: AnyAuthMethod): boolean {
  return method.type === "publickey" || method.type === "agent";
}

function named({ label, complaint }: Credential): string {
  const words = complaint?.();
  return words === undefined ? label : `${label} (${words})`;
}
