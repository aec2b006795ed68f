import { stripControl } from "../../secret";

/**
 * The one place where argument arrays become text for a shell. Remote login shells differ (bash, fish, csh), so the line
 * sent to them is one that all of them read alike, and everything else happens in `/bin/sh`.
 */

/** The search path of every remote command and of the programs we leave there; a non-interactive login often lacks the sbin folders. */
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

/** No shell makes anything of these, wherever they stand in a word (but `=` in the first one, and in zsh). */
const SAFE_WORD = /^[A-Za-z0-9_/:.,@%+-][A-Za-z0-9_/:=.,@%+-]*$/;

/**
 * Linux takes no longer text as one argument (MAX_ARG_STRLEN, the final NUL included), and sshd hands the whole line to
 * the login shell as one.
 */
const LONGEST_LINE = 128 * 1024 - 1;

/**
 * One word for POSIX sh, whatever it holds.
 * @throws TypeError for what no argument can hold: NUL, and half of a surrogate pair, which has no UTF-8
 */
export function quote(word: string): string {
  if (SAFE_WORD.test(word)) return word;
  mustBeArgument(word);
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

function mustBeArgument(word: string): void {
  if (word.includes("\0")) throw new TypeError("a command argument cannot hold a NUL character");
  if (/\p{Surrogate}/u.test(word)) {
    throw new TypeError("a command argument cannot hold half of a surrogate pair: it is no Unicode text");
  }
}

/** The words as one sh command line. */
export function quoteAll(words: readonly string[]): string {
  return words.map(quote).join(" ");
}

/** The words as they may stand in a message: also those that no command can have, and no control sequences. */
export function shownCommand(words: readonly string[]): string {
  const possible = words.map((word) => word.replaceAll("\0", "\\0").replace(/\p{Surrogate}/gu, "\ufffd"));
  return stripControl(quoteAll(possible));
}

/**
 * The line to send: runs the command under `/bin/sh`, `LC_ALL=C` and a full PATH, whatever the login shell is.
 * @throws TypeError when it cannot be said in a line: see `quote`, and a line that is longer than Linux takes
 */
export function remoteLine({ argv, env, marker, sudo }: CommandShape): string {
  const set = assignments(env);
  const text = set.length === 0 ? ANNOUNCED : ANNOUNCED_WITH_ENV;
  const command = ["/bin/sh", "-c", text, "sh", marker, ...set, ...argv];
  const line = forAnyShell(sudo === undefined ? command : underSudo(command, sudo));
  if (line.length <= LONGEST_LINE) return line;
  throw new TypeError(
    `the command is too long: ${line.length} bytes as a line, and Linux takes ${LONGEST_LINE}; what is long has to go in by standard input`,
  );
}

/** The sh text that prints its `$1` on both outputs and becomes the command in the other arguments. */
const ANNOUNCED = `${exported()}; printf %s "$1"; printf %s "$1" >&2; shift; exec "$@"`;

/** The same with `NAME=value` arguments before the command, ended by `--`. */
const ANNOUNCED_WITH_ENV = ANNOUNCED.replace(
  "shift; ",
  'shift; while [ "$1" != -- ]; do export "$1"; shift; done; shift; ',
);

function exported(): string {
  return `LC_ALL=C; export LC_ALL; PATH=${REMOTE_PATH}; export PATH`;
}

/** The assignments as words of their own, or none. */
function assignments(env: Readonly<Record<string, string>> = {}): readonly string[] {
  const words = Object.entries(env).map(([name, value]) => {
    if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return `${name}=${value}`;
    throw new TypeError(`not an environment name: ${name}`);
  });
  return words.length === 0 ? [] : [...words, "--"];
}

function underSudo(command: readonly string[], sudo: SudoShape): readonly string[] {
  const how = sudo.kind === "passwordless" ? ["-n"] : ["-S", "-p", sudo.prompt];
  // sudo, too, has to be found, and to say in English what it has to say
  return ["/bin/sh", "-c", `${exported()}; exec "$@"`, "sh", "sudo", ...how, "--", ...command];
}

/**
 * The words as a line that bash, fish, csh and the like read alike: single quotes mean the same in all of them as long
 * as they hold no quote, backslash, `!` or line feed. Words that do travel as octal escapes that printf turns back, which
 * costs `/bin/sh` a process.
 */
function forAnyShell(words: readonly string[]): string {
  words.forEach(mustBeArgument);
  if (words.every(isReadAlike))
    return `exec ${words.map((word) => (SAFE_WORD.test(word) ? word : `'${word}'`)).join(" ")}`;
  const encoded = [...Buffer.from(`exec ${quoteAll(words)}`, "utf8")]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      return isReadAlike(character) ? character : `\\0${byte.toString(8).padStart(3, "0")}`;
    })
    .join("");
  return `exec /bin/sh -c 'eval "$(printf %b "$0")"' '${encoded}'`;
}

/** True for printable ASCII without the characters that some shell reads in its own way inside single quotes. */
function isReadAlike(text: string): boolean {
  return /^[ -~]*$/.test(text) && !/['\\!^`]/.test(text);
}

/** A script of ours with its arguments, as a command that takes the text from standard input. */
export interface ScriptShape {
  readonly argv: readonly string[];
  readonly stdin: string;
}

/**
 * The whole text is read before its first line runs, and its first and last lines are checked: a text of which a lost
 * connection took the end, or a login file that reads took the start, does nothing (exit code 125). The script's own
 * standard input is empty.
 */
export function scriptCommand(text: string, args: readonly string[], end: string): ScriptShape {
  const boot = [
    `slipway_text=$(cat) || exit 125`,
    `case $slipway_text in "$0"*"$0") ;; *) exit 125 ;; esac`,
    `exec </dev/null`,
    `eval "$slipway_text"`,
  ].join("; ");
  return { argv: ["/bin/sh", "-c", boot, `# ${end}`, ...args], stdin: `# ${end}\n${text}\n# ${end}` };
}

/**
 * Takes a file from standard input into a temporary name beside it, then renames. Nothing is renamed when fewer bytes
 * came than were sent. `$1` path, `$2` temporary path, `$3` octal mode, `$4` size in bytes.
 */
const WRITE_FILE = [
  `umask 077`,
  `trap 'rm -f -- "$2"' EXIT`,
  // a lost connection closes the outputs too: without a trap the first word to it ends the shell before its clean-up
  `trap 'exit 129' HUP INT PIPE TERM`,
  `cat >"$2" || exit 1`,
  `size=$(wc -c <"$2") || exit 1`,
  `[ "$size" -eq "$4" ] || { echo "got $size of $4 bytes" >&2; exit 125; }`,
  // mv would put it into the folder, and call that success
  `[ ! -d "$1" ] || { echo "$1 is a folder" >&2; exit 1; }`,
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
