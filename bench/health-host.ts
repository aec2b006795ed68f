import type { LabHost } from "../test/lab/lab-host";
import { startDockerHost } from "../test/support/web-host";

/** How many containers run on the machine, and how many of them are left for a look at a few. */
export const CONTAINERS = 200;
export const FEW = 10;

const DOCKERFILE = `FROM scratch
COPY busybox /bin/busybox
COPY busybox /bin/sh
STOPSIGNAL SIGKILL
CMD ["/bin/busybox", "sleep", "1000000"]
`;

/** A check that is asked once a second until it is good, and then once an hour: the figures are those of the look alone. */
const CHECK = ["--health-cmd", "true", "--health-interval", "1h", "--health-start-period", "10m"];
const RUN = ["docker", "run", "-d", "--network", "none", ...CHECK, "--health-start-interval", "1s"].join(" ");
const START = `seq 1 ${CONTAINERS} | xargs -P 4 -I{} ${RUN} --name well-{} well`;
const REMOVE = `seq ${FEW + 1} ${CONTAINERS} | sed 's/^/well-/' | xargs -P 4 -n 10 docker rm -f`;
const ALL_WELL = `until [ "$(docker ps -q --filter health=healthy | wc -l)" = ${CONTAINERS} ]; do sleep 1; done`;

/** A lab host on which two hundred containers run and are healthy. */
export async function startHealthHost(): Promise<LabHost> {
  const host = await startDockerHost("trixie");
  try {
    await host.must(["sh", "-c", "cat > /root/page/Dockerfile"], { input: DOCKERFILE });
    await host.must(["docker", "build", "-q", "-t", "well", "/root/page"]);
    await host.must(["sh", "-ec", `{ ${START}; } >/dev/null`]);
    await host.must(["timeout", "300", "sh", "-c", ALL_WELL]);
    return host;
  } catch (error) {
    await host.remove();
    throw error;
  }
}

/** Removes all but a few. */
export async function keepFew(host: LabHost): Promise<void> {
  await host.must(["sh", "-ec", `{ ${REMOVE}; } >/dev/null`]);
}
