/**
 * The one place where argument arrays become text for a shell. Remote login shells differ (bash, fish, csh), so the line
 * sent to them is one that all of them read alike, and everything else happens in `/bin/sh`.
 */

/** The search path of every remote command; a non-interactive login often lacks the sbin folders. */
export const REMOTE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin";

/** How one command is to be run. */
export interface CommandShape {
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Printed on both outputs right before the command starts; what came before is the login shell's noise. */
  readonly marker: string;
  readonly sudo?: SudoShape | undefined;
}

/** `passwordless` never asks; `password` asks on standard error with this prompt and reads standard input. */
export type SudoShape =
  | { readonly kind: "passwordless" }
  | { readonly kind: "password"; readonly prompt: string };

const SAFE_WORD = /^[A-Za-z0-9_/:=.,@%+-]+$/;

/** One word for POSIX sh, whatever it holds (but NUL, which no argument can hold). */
export function quote(word: string): string {
  return SAFE_WORD.test(word) ? word : inQuotes(word);
}

function inQuotes(word: string): string {
  if (word.includes("\0")) throw new TypeError("a command argument cannot hold a NUL character");
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** The words as one sh command line. */
export function quoteAll(words: readonly string[]): string {
  return words.map(quote).join(" ");
}

/** The line to send: runs the command under `/bin/sh`, `LC_ALL=C` and a full PATH, whatever the login shell is. */
export function remoteLine(command: CommandShape): string {
  return forAnyShell(command.sudo === undefined ? program(command) : underSudo(command, command.sudo));
}

/** The sh text that announces itself and becomes the command. */
function program({ argv, env, marker }: CommandShape): string {
  return [
    environment(env),
    `printf %s ${quote(marker)}`,
    `printf %s ${quote(marker)} >&2`,
    // the name is quoted in any case, so that one such as "a=b" is a command and no assignment
    `exec ${[inQuotes(argv[0] ?? ""), ...argv.slice(1).map(quote)].join(" ")}`,
  ].join("; ");
}

function underSudo(command: CommandShape, sudo: SudoShape): string {
  const how = sudo.kind === "passwordless" ? ["-n"] : ["-S", "-p", sudo.prompt];
  return `${environment()}; exec ${quoteAll(["sudo", ...how, "--", "/bin/sh", "-c", program(command)])}`;
}

function environment(env: Readonly<Record<string, string>> = {}): string {
  const all = { LC_ALL: "C", PATH: REMOTE_PATH, ...env };
  return Object.entries(all)
    .map(([name, value]) => {
      if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw new TypeError(`not an environment name: ${name}`);
      return `${name}=${quote(value)}; export ${name}`;
    })
    .join("; ");
}

/**
 * A sh text as a line that bash, fish, csh and the like read alike: single quotes mean the same in all of them as long
 * as they hold no quote, backslash, `!` or line feed. Those travel as octal escapes that printf turns back.
 */
function forAnyShell(text: string): string {
  const encoded = [...Buffer.from(text, "utf8")]
    .map((byte) => (isPlain(byte) ? String.fromCharCode(byte) : `\\0${byte.toString(8).padStart(3, "0")}`))
    .join("");
  return `exec /bin/sh -c 'eval "$(printf %b "$0")"' '${encoded}'`;
}

function isPlain(byte: number): boolean {
  const special = "'\\!^`\"".includes(String.fromCharCode(byte));
  return byte >= 0x20 && byte < 0x7f && !special;
}

/** A script of ours with its arguments, as a command that takes the text from standard input. */
export interface ScriptShape {
  readonly argv: readonly string[];
  readonly stdin: string;
}

/**
 * The whole text is read before its first line runs, and its last line is checked: a text cut off by a lost connection
 * does nothing (exit code 125). The script's own standard input is empty.
 */
export function scriptCommand(text: string, args: readonly string[], end: string): ScriptShape {
  const boot = [
    `slipway_text=$(cat) || exit 125`,
    `case $slipway_text in *"$0") ;; *) exit 125 ;; esac`,
    `exec </dev/null`,
    `eval "$slipway_text"`,
  ].join("; ");
  return { argv: ["/bin/sh", "-c", boot, `# ${end}`, ...args], stdin: `${text}\n# ${end}` };
}

/**
 * Takes a file from standard input into a temporary name beside it, then renames. Nothing is renamed when fewer bytes
 * came than were sent. `$1` path, `$2` temporary path, `$3` octal mode, `$4` size in bytes.
 */
const WRITE_FILE = [
  `umask 077`,
  `trap 'rm -f -- "$2"' EXIT`,
  `cat >"$2" || exit 1`,
  `size=$(wc -c <"$2") || exit 1`,
  `[ "$size" -eq "$4" ] || { echo "got $size of $4 bytes" >&2; exit 125; }`,
  `chmod -- "$3" "$2" && mv -f -- "$2" "$1"`,
].join("\n");

/** The command that writes a file from standard input, see `HostSession.writeFile`. */
export function writeFileCommand(path: string, nonce: string, mode: number, size: number): readonly string[] {
  const slash = path.lastIndexOf("/");
  const temporary = `${path.slice(0, slash + 1)}.${path.slice(slash + 1)}.${nonce}`;
  return [
    "/bin/sh",
    "-c",
    WRITE_FILE,
    "write-file",
    path,
    temporary,
    mode.toString(8).padStart(4, "0"),
    String(size),
  ];
}
