import type { LabHost } from "../test/lab/lab-host";
import type { Target } from "./contender";
import { openCli } from "./docker-cli";
import { restartRunning, startRunning } from "./engine-host";
import { withOurs } from "./ours";

/** What stopping many containers at once came to. */
export interface Stopped {
  readonly ms: number;
  readonly failures: number;
  readonly logins: number;
}

/** Forty containers stopped at once through a stock sshd: by us, then by as many docker commands. */
export async function stopForty(
  host: LabHost,
  target: Target,
): Promise<{ readonly ours: Stopped; readonly cli: Stopped }> {
  const names = await startRunning(host);
  const ours = await counted(host, names, (stopAll) =>
    withOurs(target, async (session) => {
      const docker = await session.docker();
      return stopAll((name) => docker.getContainer(name).stop());
    }),
  );
  await restartRunning(host, names);
  const cli = openCli(target, false);
  try {
    const theirs = await counted(host, names, (stopAll) => stopAll((name) => cli.docker(["stop", name])));
    return { ours, cli: theirs };
  } finally {
    await cli.close();
  }
}

type StopAll = (stop: (name: string) => Promise<unknown>) => Promise<number>;

async function counted(
  host: LabHost,
  names: readonly string[],
  run: (stopAll: StopAll) => Promise<number>,
): Promise<Stopped> {
  const before = (await host.logins()).length;
  const started = performance.now();
  const failures = await run(async (stop) => {
    const ends = await Promise.allSettled(names.map(stop));
    return ends.filter(({ status }) => status === "rejected").length;
  });
  const ms = performance.now() - started;
  const running = (await host.must(["docker", "ps", "--quiet"])).split("\n").filter(Boolean).length;
  // whoever says that it stopped a container has to have stopped it
  if (running > failures) throw new Error(`${running} containers run on, ${failures} failures were told`);
  return { ms, failures, logins: (await host.loginsSince(before)).length };
}
