import type { FaultCase } from "../fault-case";
import { judge } from "../oracle";
import { Service } from "../service";
import type { Site } from "../site";
import { BRIDGED, PLAIN, type Way } from "../way";
import { withLines } from "../with-lines";

/** Who is killed on a host where no unit starts the switch program again. */
interface Kill {
  readonly name: string;
  readonly did: string;
  readonly whose: "loop" | "keeper";
  readonly copyToo?: true;
}

const KILLS: readonly Kill[] = [
  {
    name: "deployer, switch program and its loop killed",
    did: "SIGKILL of the deployer, of the program and of the loop that starts it again",
    whose: "loop",
  },
  {
    name: "deployer, switch program, its loop and the copy killed",
    did: "SIGKILL of the deployer, of the program and of the loop that starts it again, then of the copy that the rules lead to",
    whose: "loop",
    copyToo: true,
  },
  {
    name: "deployer and who keeps the loop killed",
    did: "SIGKILL of the deployer and of the process that starts the loop again",
    whose: "keeper",
  },
];

const POINTS: readonly (readonly [Way, string])[] = [
  [BRIDGED, "switch ruled"],
  [BRIDGED, "switch nextstarted"],
  [PLAIN, "switch oldstopped"],
];

/** A bridged and a plain switch where there is no systemd. */
export const NO_SYSTEMD_CASES: readonly FaultCase[] = KILLS.flatMap((kill) =>
  POINTS.filter(([way]) => way === BRIDGED || kill.copyToo !== true).map(([way, cut]): FaultCase => {
    return {
      name: `${way.name}, without systemd: ${kill.name} ${cut.replace(/^switch /, "at the switch's ")}`,
      did: `swap from v1 to v2 on a host without systemd-run; at "${cut}": ${kill.did}`,
      run: (site) => killed(site, way, cut, kill),
    };
  }),
);

async function killed(site: Site, way: Way, cut: string, { whose, copyToo }: Kill): Promise<string> {
  const service = new Service(site, way);
  await site.hideSystemd();
  try {
    await service.up("v1");
    const deployer = service.deploy("v2", [cut]);
    try {
      await deployer.halted(cut);
      await site.killProgram(service.name, whose);
      if (copyToo === true) await site.host.must(["docker", "kill", `${service.name}.try`]);
    } finally {
      await deployer.kill();
    }
    await service.settle(deployer);
    return await judge(service, { image: "v2" });
  } catch (error) {
    throw withLines(error, service);
  } finally {
    await site.showSystemd();
  }
}
