import type { LabHost, Suite } from "./lab-host";
import { loadScratchImage } from "./scratch-image";

/** Where an image's HAProxy is from: 2.6 of bookworm, 3.0 of trixie, 3.2 of sid. */
export type HaproxySuite = Suite | "sid";

/** Brings the image `haproxy-lab:<suite>` onto a lab host; made once, about ten seconds. */
export async function loadHaproxy(host: LabHost, suite: HaproxySuite): Promise<string> {
  return loadScratchImage(host, { suite, program: "haproxy", at: "/usr/sbin/haproxy" });
}
