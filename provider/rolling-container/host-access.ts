import type { PatientAccess } from "../container/patient-pull";

/** One host, open for a run: what observing and executing need. */
export interface HostAccess extends PatientAccess {
  /** Empty text where the machine has none. */
  readonly machineId: string;
}
