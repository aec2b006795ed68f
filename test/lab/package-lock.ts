import type { LabHost } from "./lab-host";
import { until } from "./until";

/** The locks of apt, of dpkg and of rpm. */
export type PackageLock =
  | "/var/lib/apt/lists/lock"
  | "/var/lib/dpkg/lock-frontend"
  | "/var/lib/rpm/.rpm.lock";

/** Somebody who holds one of them on a lab host. */
export interface HeldLock {
  release(): Promise<void>;
}

/** As its own name, and as they lock: with fcntl. */
const HOLD = `my ($name, $path) = @ARGV;
$0 = $name;
open(my $file, "+>>", $path) or die;
my $lock = pack("s s x4 q q i x4", F_WRLCK, 0, 0, 0, 0);
fcntl($file, F_SETLK, $lock) or die;
open(my $held, ">", "/run/lab-lock") or die;
sleep 1 while 1;`;

/** Has a process of that name (15 letters at most) hold the lock; returns when it does. */
export async function holdPackageLock(host: LabHost, path: PackageLock, name: string): Promise<HeldLock> {
  const unit = ["systemd-run", "--quiet", "--collect", "--unit", "lab-lock"];
  await host.must([...unit, "perl", "-MFcntl", "-e", HOLD, name, path]);
  await until(`the lock of ${name}`, async () => (await host.exec(["rm", "/run/lab-lock"])).code === 0);
  return {
    release: async () => {
      await host.must(["systemctl", "stop", "lab-lock"]);
    },
  };
}
