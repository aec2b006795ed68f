import type { FaultCase } from "./fault-case";
import type { Verdict } from "./matrix";
import { Site } from "./site";

/** The hosts that the cases share, each started when the first case needs it. */
export class Sites {
  private readonly sites = new Map<boolean, Promise<Site>>();

  /** Runs one case on its host; a failure is a verdict, too. */
  async run(fault: FaultCase): Promise<Verdict> {
    const { name, did, smallDisk = false, liveRestore = false } = fault;
    const site = await this.site(smallDisk);
    try {
      await site.useLiveRestore(liveRestore);
      return { name, did, holds: true, seen: await fault.run(site) };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (error instanceof Error && typeof error.cause === "string") console.log(`${error.cause}\n`);
      return { name, did, holds: false, seen: message };
    } finally {
      await site.clearAll();
    }
  }

  async dispose(): Promise<void> {
    for (const site of this.sites.values()) await (await site.catch(() => undefined))?.host.remove();
    this.sites.clear();
  }

  private site(smallDisk: boolean): Promise<Site> {
    const site = this.sites.get(smallDisk) ?? Site.start({ smallDisk });
    this.sites.set(smallDisk, site);
    return site;
  }
}
