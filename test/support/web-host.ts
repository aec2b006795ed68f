import { busyboxPath } from "../lab/busybox";
import { docker } from "../lab/docker";
import { type LabHost, startLabHost, type Suite } from "../lab/lab-host";

/** How a version of the page behaves. */
export type PageMode =
  | "serve"
  /** Runs and never listens. */
  | "deaf"
  /** Exits at once, with 7. */
  | "exit"
  /** Exits with 3, two seconds after its start. */
  | "crash";

const START = `#!/bin/busybox sh
echo "starting $VERSION"
[ "$MODE" = exit ] && { echo "no database, token is $TOKEN" >&2; exit 7; }
[ "$MODE" = crash ] && { /bin/busybox sleep 2; echo "gave up" >&2; exit 3; }
[ "$MODE" = deaf ] && { echo "deaf and $TOKEN" >&2; exec /bin/busybox sleep 100000; }
exec /bin/busybox httpd -f -p 3000 -h /www
`;

const DOCKERFILE = `FROM scratch
ARG VERSION
ARG MODE
ENV VERSION=$VERSION MODE=$MODE
COPY busybox /bin/busybox
COPY start /start
COPY www /www
STOPSIGNAL SIGKILL
CMD ["/bin/busybox", "sh", "/start"]
`;

/** A lab host with Docker of its distribution. */
export async function startDockerHost(suite: Suite): Promise<LabHost> {
  const host = await startLabHost({ suite });
  await host.must(["apt-get", "update", "-qq"]);
  const install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "docker.io"];
  const cli = suite === "bookworm" ? [] : ["docker-cli"];
  await host.must(["env", "DEBIAN_FRONTEND=noninteractive", ...install, ...cli]);
  await preparePages(host);
  return host;
}

/** Brings what `buildPage` needs onto a host. */
export async function preparePages(host: LabHost): Promise<void> {
  await host.must(["mkdir", "-p", "/root/page/www"]);
  await docker(["cp", await busyboxPath(), `${host.name}:/root/page/busybox`]);
  await host.must(["sh", "-c", "cat > /root/page/start"], { input: START });
  await host.must(["sh", "-c", "cat > /root/page/Dockerfile"], { input: DOCKERFILE });
}

/** The pages built from now on have `/cgi-bin/slow?SECONDS`, which counts to ten, with such a pause after each number: 0.5 s by itself. */
export async function addSlowPage(host: LabHost): Promise<void> {
  const counts = 'for i in 1 2 3 4 5 6 7 8 9 10; do echo $i; /bin/busybox sleep "${QUERY_STRING:-0.5}"; done';
  const text = `#!/bin/busybox sh\nprintf 'Content-Type: text/plain\\r\\n\\r\\n'\n${counts}\n`;
  const folder = "/root/page/www/cgi-bin";
  const script = `mkdir -p ${folder}; cat > ${folder}/slow; chmod 755 ${folder}/slow`;
  await host.must(["sh", "-c", script], { input: text });
}

/** Builds `page:<version>` on the host: it answers its version on port 3000, or fails as the mode says. */
export async function buildPage(host: LabHost, version: string, mode: PageMode = "serve"): Promise<string> {
  await host.must(["sh", "-c", "cat > /root/page/www/index.html"], { input: version });
  const args = ["--build-arg", `VERSION=${version}`, "--build-arg", `MODE=${mode}`];
  await host.must(["docker", "build", "-q", "-t", `page:${version}`, ...args, "/root/page"]);
  return `page:${version}`;
}
