import { createReadStream } from "node:fs";
import path from "node:path";
import { SlipwayError } from "../../errors";
import { assertOutcomeKnown } from "../../host/known-outcome";
import type { HostSession } from "../../host/session";
import { stripControl, tail } from "../../secret";
import type { ExecuteContext } from "../execute-context";
import { type PackageFile, withoutEpoch } from "../package-file";
import type { InstallOrder, RunOptions, UploadedPackages } from "./package-family";
import { UPLOAD_FOLDER } from "./upload-folder";

/** One file over a slow line. */
const UPLOAD_MS = 1_800_000;

const MAKE = `rm -rf -- "$1" && mkdir -p -- "\${1%/*}" && mkdir -m 0700 -- "$1"`;
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
 * step. The folder goes in any case.
 * @throws SlipwayError engine-install-failed, connection-lost, invalid-input
 */
export async function installUploaded(
  { files, remove, allowDowngrade }: UploadOrder,
  { session, family, log }: Pick<ExecuteContext, "session" | "family" | "log">,
  run: RunOptions,
): Promise<void> {
  const { uploads } = family;
  await session.run(["/bin/sh", "-c", MAKE, "slipway-upload", UPLOAD_FOLDER], { sudo: true, ...run });
  try {
    for (const file of files) {
      log.progress(`uploading ${file.name} ${file.version}`);
      await send(session, file, run);
    }
    await refuseBroken(session, files, run);
    const coming = await refuseOthers(session, files, uploads, run);
    const paths = coming.map(placeOf);
    const names = coming.map(({ name }) => name);
    await uploads.install(session, { paths, names, remove, allowDowngrade }, run);
  } catch (error) {
    await removeFolder(session).catch(() => undefined); // the first failure is the one to tell, and the next run clears
    throw error;
  }
  await removeFolder(session);
}

/** Of our own making, whatever the file is called here. */
function fileName({ name, format }: PackageFile): string {
  return `${name}.${format}`;
}

function placeOf(file: PackageFile): string {
  return `${UPLOAD_FOLDER}/${fileName(file)}`;
}

async function send(session: HostSession, file: PackageFile, { signal }: RunOptions): Promise<void> {
  const argv = ["/bin/sh", "-c", 'umask 077; cat >"$1"', "slipway-upload", placeOf(file)];
  const stdin = createReadStream(path.resolve(file.path));
  const outcome = await session.exec(argv, { sudo: true, stdin, timeoutMs: UPLOAD_MS, signal });
  assertOutcomeKnown(outcome, session.target, `uploading ${file.name}`);
  if (outcome.kind === "exited" && outcome.code === 0) return;
  throw failure(session, `uploading ${file.name}`, "it could not be written", outcome.stderr);
}

async function refuseBroken(
  session: HostSession,
  files: readonly PackageFile[],
  { signal }: RunOptions,
): Promise<void> {
  const sums = files.flatMap((file) => [file.sha256, fileName(file)]);
  const outcome = await session.script(COMPARE, [UPLOAD_FOLDER, ...sums], { sudo: true, signal });
  assertOutcomeKnown(outcome, session.target, "comparing checksums");
  const broken = outcome.stdout.split("\n").filter((line) => line !== "");
  if (outcome.kind === "exited" && outcome.code === 0 && broken.length === 0) return;
  throw failure(
    session,
    "uploading packages",
    `${broken.join(", ")} came there with another checksum`,
    outcome.stderr,
  );
}

/**
 * Those to install: a file that holds another package than its name says is refused; what is no part of the engine and is there
 * already stays as it is.
 */
async function refuseOthers(
  session: HostSession,
  files: readonly PackageFile[],
  { describe, parts }: UploadedPackages,
  { signal }: RunOptions,
): Promise<readonly PackageFile[]> {
  const outcome = await session.script(describe, files.map(placeOf), { sudo: true, signal });
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

async function removeFolder(session: HostSession): Promise<void> {
  await session.run(["rm", "-rf", "--", UPLOAD_FOLDER], { sudo: true });
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
