import { publishedPorts } from "../container/spec";
import { containersOf, type HostFound, revisionIn } from "./found";
import type { ReadyScript } from "../host/session";
import type { HostAccess } from "./host-access";
import { type ImageLook, lookAtImage } from "./image";
import { inTime, LOOK_MS } from "../container/in-time";
import { likelyNames, observeHost } from "./observe";
import { routeLooks } from "./observe-routes";
import { type ReadySwitchLooks, switchNames } from "./observe-switches";
import { readyToObserve } from "../switch/observe-switch";
import type { RecordedOwnership } from "./outputs";
import type { RolloutRequest } from "./what-runs";

/** How one rollout looks at its hosts; what it saw tells it what to ask for at once the next time. */
export class RolloutLook {
  private readonly request: RolloutRequest;
  private readonly stack: string;
  private readonly former: string | undefined;
  /** What the state knows as ours. */
  readonly recorded: RecordedOwnership;
  /** Revisions whose containers are known to stand there. */
  private readonly revisions: Set<string>;
  private readonly ready = new Map<HostAccess, ReadySwitchLooks>();
  private readonly made: Promise<ReadyScript>[] = [];
  private readonly images = new Map<HostAccess, Promise<ImageLook>>();

  constructor(
    request: RolloutRequest,
    stack: string,
    former: string | undefined,
    recorded: RecordedOwnership,
  ) {
    this.request = request;
    this.stack = stack;
    this.former = former;
    this.recorded = recorded;
    this.revisions = new Set(recorded.kept);
  }

  /** Makes ready what the first look takes longest for, while the lock is waited for. */
  makeReady(host: HostAccess): void {
    const { wanted, olds } = this.request;
    // one channel, whatever comes: others on the host have to have some, too
    for (const name of switchNames(wanted, this.former, olds).slice(0, 1)) {
      const ready = readyToObserve(host.session, name, host.signal);
      ready.catch(() => {}); // whoever looks hears of it
      this.ready.set(host, new Map([[name, ready]]));
      this.made.push(ready);
    }
  }

  /** What was made ready and is not needed. */
  end(): void {
    for (const made of this.made) made.then((ready) => ready.drop()).catch(() => {});
  }

  /** `switches`: what is there of a switch, too, which takes longer. */
  async observe(host: HostAccess, switches = false): Promise<HostFound> {
    const { wanted, olds } = this.request;
    const readyLooks = this.ready.get(host);
    if (switches) this.ready.delete(host);
    const found = await inTime(host, `looking at "${wanted.service}"`, LOOK_MS, (signal) =>
      observeHost(host.session, {
        service: wanted.service,
        former: this.former,
        stack: this.stack,
        recorded: this.recorded,
        ports: publishedPorts(wanted.spec),
        likely: likelyNames(wanted, [...this.revisions]),
        routes: routeLooks(host.session.target, wanted, olds),
        ...(switches ? { switches: switchNames(wanted, this.former, olds), readyLooks } : {}),
        signal,
      }),
    );
    for (const container of found.service.slots.flatMap(containersOf)) {
      this.revisions.add(revisionIn(container));
    }
    return found;
  }

  /** Looks for the image beside the first look of `work`; what it saw counts where that was the only one. */
  async withImage<T>(host: HostAccess, work: (observe: () => Promise<HostFound>) => Promise<T>): Promise<T> {
    const image = lookAtImage(host, this.request.wanted.image);
    image.catch(() => {}); // whoever needs it hears of it
    let looks = 0;
    const result = await work(() => {
      looks += 1;
      return this.observe(host, true);
    });
    if (looks === 1) this.images.set(host, image);
    return result;
  }

  /** What was seen of the image; undefined where nobody has looked since the host is as it is. */
  image(host: HostAccess): Promise<ImageLook> | undefined {
    return this.images.get(host);
  }
}
