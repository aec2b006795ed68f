import type { FaultCase } from "./fault-case";
import type { Verdict } from "./matrix";
import { Site } from "./site";

/** The hosts that the cases share, started when the first case needs one. */
export class Sites {
  private shared: Promise<Site> | undefined;

  /** Runs one case on its host; a failure is a verdict, too. */
  async run(fault: FaultCase): Promise<Verdict> {
    const site = fault.ownHost === true ? await Site.start() : await this.sharedSite();
    try {
      if (fault.ownHost !== true) await site.useLiveRestore(fault.liveRestore === true);
      return { ...summary(fault), holds: true, seen: await fault.run(site) };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (error instanceof Error && typeof error.cause === "string") console.log(`${error.cause}\n`);
      return { ...summary(fault), holds: false, seen: message };
    } finally {
      if (fault.ownHost === true) await site.host.remove();
      else await site.clearAll();
    }
  }

  async dispose(): Promise<void> {
    const site = await this.shared?.catch(() => undefined);
    await site?.host.remove();
  }

  private sharedSite(): Promise<Site> {
    return (this.shared ??= Site.start());
  }
}

function summary({ name, did }: FaultCase): Pick<Verdict, "name" | "did"> {
  return { name, did };
}
