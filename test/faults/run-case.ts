import type { FaultCase } from "./fault-case";
import type { LaneResult } from "./lane";
import { Site } from "./site";

/** The hosts that the cases of one process share, each started when the first case needs it. */
export class Sites {
  private readonly sites = new Map<boolean, Promise<Site>>();

  /** Runs one case on its host; a failure is a verdict, too. `onReady` is called when the host stands. */
  async run(fault: FaultCase, onReady?: () => void): Promise<LaneResult> {
    const { name, did, smallDisk = false, liveRestore = false, edge = false } = fault;
    const site = await this.site(smallDisk);
    onReady?.();
    try {
      await site.useLiveRestore(liveRestore);
      if (edge) await site.useEdge();
      return { verdict: { name, did, holds: true, seen: await fault.run(site) }, log: "" };
    } catch (error) {
      const seen = error instanceof Error ? error.message : String(error);
      const log = error instanceof Error && typeof error.cause === "string" ? error.cause : "";
      return { verdict: { name, did, holds: false, seen }, log };
    } finally {
      await site.clearAll().catch(() => this.replace(smallDisk, site));
    }
  }

  async dispose(): Promise<void> {
    for (const site of this.sites.values()) await (await site.catch(() => undefined))?.host.remove();
    this.sites.clear();
  }

  /** One that cannot be cleared would spoil the next case. */
  private async replace(smallDisk: boolean, site: Site): Promise<void> {
    this.sites.delete(smallDisk);
    await site.host.remove();
  }

  private site(smallDisk: boolean): Promise<Site> {
    const site = this.sites.get(smallDisk) ?? Site.start({ smallDisk });
    this.sites.set(smallDisk, site);
    return site;
  }
}
