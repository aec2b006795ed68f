import { HAND_CASES } from "./cases/by-hand";
import { CLI_CASES } from "./cases/cli";
import { DISK_CASES } from "./cases/disk";
import { HEALTH_CASES } from "./cases/health";
import { LOCK_CASES } from "./cases/lock";
import { NO_SYSTEMD_CASES } from "./cases/no-systemd";
import { REGISTRY_CASES } from "./cases/registry";
import { SWAP_CASES } from "./cases/swap";
import type { FaultCase } from "./fault-case";

const ALL = [
  ...SWAP_CASES,
  ...HEALTH_CASES,
  ...LOCK_CASES,
  ...HAND_CASES,
  ...REGISTRY_CASES,
  ...CLI_CASES,
  ...NO_SYSTEMD_CASES,
  ...DISK_CASES,
];

/** The whole suite, in the order in which it is run; those with live-restore last, so that the engine is set up once. */
export const CASES: readonly FaultCase[] = ALL.sort(
  (a, b) => Number(a.liveRestore === true) - Number(b.liveRestore === true),
);

const names = new Set(CASES.map(({ name }) => name));
if (names.size !== CASES.length) throw new Error("two cases have one name");
