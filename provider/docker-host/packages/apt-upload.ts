import { SlipwayError } from "../../errors";
import type { HostSession } from "../../host/session";
import { stripControl, tail } from "../../secret";
import { runApt } from "./apt-run";
import { aptInstall, aptTrial, DEB_NAMES, parseRemovals } from "./apt-text";
import { runFailure } from "./lock-wait";
import { INSTALL_MS } from "./package-failure";
import type { UploadedPackages } from "./package-family";
import { UPLOAD_FOLDER } from "./upload-folder";

/** apt knows of what is installed and of our files, whatever lists the machine has; and leaves its cache of those alone. */
const NO_SOURCES: readonly string[] = [
  ...["-o", "Dir::Etc::sourcelist=/dev/null"],
  ...["-o", "Dir::Etc::sourceparts=/dev/null"],
  ...["-o", `Dir::State::lists=${UPLOAD_FOLDER}/lists`],
  ...["-o", "Dir::Cache::pkgcache="],
  ...["-o", "Dir::Cache::srcpkgcache="],
  // its own user may not read the folder
  ...["-o", "APT::Sandbox::User=root"],
];

/** apt mends nothing where files alone are named: it ends at what is broken already before it looks at them. */
const ALSO = "dpkg";

/** Files of the program's on Debian and what is made of it. */
export const aptUploads: UploadedPackages = {
  format: "deb",
  parts: DEB_NAMES,

  describe: `
for file; do
  name=$(dpkg-deb -f "$file" Package) && version=$(dpkg-deb -f "$file" Version) || exit 1
  there=no
  [ "$(dpkg-query -W -f '\${db:Status-Status}' "$name" 2>/dev/null)" != installed ] || there=yes
  echo "$name $version $there"
done
`,

  async install(session, { paths, names, remove, allowDowngrade }, run) {
    const what = `installing ${names.join(", ")}`;
    const change = { remove, allowDowngrade };
    const words = [...paths, ALSO];
    const trial = await runApt(session, aptTrial(words, change, NO_SOURCES), {
      ...{ signal: run.signal, timeoutMs: INSTALL_MS, changesPackages: false },
    });
    if (trial.kind !== "exited") throw runFailure(session, what, trial);
    if (trial.code !== 0) throw unfit(session, what, `${trial.stdout}\n${trial.stderr}`);
    const going = parseRemovals(trial.stdout).filter((name) => !remove.includes(name));
    if (going.length > 0) throw unfit(session, what, `${going.join(", ")} would be removed`);
    const outcome = await runApt(session, aptInstall(words, change, NO_SOURCES), {
      ...{ ...run, timeoutMs: INSTALL_MS, changesPackages: true },
    });
    if (outcome.kind !== "exited" || outcome.code !== 0) throw runFailure(session, what, outcome);
  },
};

function unfit(session: HostSession, what: string, answer: string): SlipwayError {
  return new SlipwayError({
    code: "engine-install-failed",
    what,
    host: session.target,
    why: "the uploaded packages cannot be installed by themselves; what they need, or cannot stand beside, is below",
    left: "No package was changed",
    next: "Add what is missing to source.files, or install it on the host",
    evidence: session.redact(stripControl(tail(answer))),
  });
}
