import { createReadStream } from "node:fs";
import path from "node:path";
import { SlipwayError } from "../../errors";
import { assertOutcomeKnown } from "../../host/known-outcome";
import type { HostSession } from "../../host/session";
import { stripControl, tail } from "../../secret";
import type { MarkContext } from "./change-mark";
import { type PackageFile, withoutEpoch } from "./package-file";
import type { InstallOrder, PackageFamily, RunOptions, UploadedPackages } from "./package-family";
import { UPLOAD_FOLDER } from "./upload-folder";

/** One file over a slow line. */
const UPLOAD_MS = 1_800_000;

/** Makes a folder of its own below `$1`: from one that is there a run whose end nobody heard may still be installing. */
const MAKE = `mkdir -p -m 0700 -- "$1" && mktemp -d -- "$1/XXXXXX"`;
/** `$1` folder, then sums and names by turns; prints the names whose file has another sum. */
const COMPARE = `
cd -- "$1" || exit 1
shift
while [ "$#" -gt 0 ]; do
  echo "$1  $2" | sha256sum -c >/dev/null 2>&1 || echo "$2"
  shift 2
done
`;

/** What is to be installed from files of the program's. */
export interface UploadOrder extends Pick<InstallOrder, "remove" | "allowDowngrade"> {
  readonly files: readonly PackageFile[];
}

/**
 * Sends the files to a folder of ours, sees there that they are whole and hold what their names say, and installs them in one
 * step. The folder goes with the mark of the change.
 * @throws SlipwayError engine-install-failed, connection-lost, command-failed
 */
export async function installUploaded(
  { files, remove, allowDowngrade }: UploadOrder,
  { session, family, log }: Pick<MarkContext, "session" | "log"> & { readonly family: PackageFamily },
  run: RunOptions,
): Promise<void> {
  const { uploads } = family;
  const argv = ["/bin/sh", "-c", MAKE, "slipway-upload", UPLOAD_FOLDER];
  const folder = (await session.run(argv, { sudo: true, ...run })).trim();
  for (const file of files) {
    log.progress(`uploading ${file.name} ${file.version}`);
    await send(session, file, placeOf(folder, file), run);
  }
  await refuseBroken(session, files, folder, run);
  const coming = await refuseOthers(session, files, folder, uploads, run);
  const paths = coming.map((file) => placeOf(folder, file));
  const names = coming.map(({ name }) => name);
  await uploads.install(session, { paths, names, remove, allowDowngrade }, run);
}

/** Of our own making, whatever the file is called here. */
function fileName({ name, format }: PackageFile): string {
  return `${name}.${format}`;
}

function placeOf(folder: string, file: PackageFile): string {
  return `${folder}/${fileName(file)}`;
}

async function send(
  session: HostSession,
  file: PackageFile,
  place: string,
  { signal }: RunOptions,
): Promise<void> {
  const argv = ["/bin/sh", "-c", 'umask 077; cat >"$1"', "slipway-upload", place];
  const stdin = createReadStream(path.resolve(file.path));
  const outcome = await session.exec(argv, { sudo: true, stdin, timeoutMs: UPLOAD_MS, signal });
  assertOutcomeKnown(outcome, session.target, `uploading ${file.name}`);
  if (outcome.kind === "exited" && outcome.code === 0) return;
  throw failure(session, `uploading ${file.name}`, "it could not be written", outcome.stderr);
}

async function refuseBroken(
  session: HostSession,
  files: readonly PackageFile[],
  folder: string,
  { signal }: RunOptions,
): Promise<void> {
  const sums = files.flatMap((file) => [file.sha256, fileName(file)]);
  const outcome = await session.script(COMPARE, [folder, ...sums], { sudo: true, signal });
  assertOutcomeKnown(outcome, session.target, "comparing checksums");
  const said = outcome.stdout.split("\n").filter((line) => line !== "");
  if (outcome.kind === "exited" && outcome.code === 0 && said.length === 0) return;
  const broken = files.map(fileName).filter((name) => said.includes(name));
  const why =
    broken.length === 0
      ? "their checksums cannot be compared there"
      : `${broken.join(", ")} came there with another checksum`;
  throw failure(session, "uploading packages", why, outcome.stderr);
}

/**
 * Those to install: a file that holds another package than its name says is refused; what is no part of the engine and is there
 * already stays as it is.
 */
async function refuseOthers(
  session: HostSession,
  files: readonly PackageFile[],
  folder: string,
  { describe, parts }: UploadedPackages,
  { signal }: RunOptions,
): Promise<readonly PackageFile[]> {
  const paths = files.map((file) => placeOf(folder, file));
  const outcome = await session.script(describe, paths, { sudo: true, signal });
  assertOutcomeKnown(outcome, session.target, "reading the uploaded packages");
  const rows = outcome.stdout.split("\n").filter((line) => line !== "");
  if (outcome.kind !== "exited" || outcome.code !== 0 || rows.length !== files.length) {
    throw failure(session, "reading the uploaded packages", "they cannot be read", outcome.stderr);
  }
  return files.filter((file, index) => {
    const [name = "", version = "", installed] = (rows[index] ?? "").split(" ");
    if (name !== file.name || withoutEpoch(version) !== file.version) {
      const shown = session.redact(stripControl(`${name} ${version}`));
      throw failure(session, `reading ${path.basename(file.path)}`, `it holds ${shown}`, "");
    }
    return parts.includes(file.name) || installed !== "yes";
  });
}

function failure(session: HostSession, what: string, why: string, stderr: string): SlipwayError {
  return new SlipwayError({
    code: "engine-install-failed",
    what,
    host: session.target,
    why,
    left: "No package was changed",
    next: "Run pulumi up again, or put source.files right",
    evidence: session.redact(stripControl(tail(stderr))),
  });
}
