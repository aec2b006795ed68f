// Docker on several machines, from a mirror of one's own, brought to a new version one machine after another.
//
//   pulumi config set hosts '[{"host":"198.51.100.7","user":"deploy"},{"host":"198.51.100.8","user":"deploy"}]'
//   pulumi config set mirror '{"url":"https://mirror.example.com/linux/debian","key":"https://mirror.example.com/gpg","keyFingerprint":"9DC8…"}'
//
// Without a mirror the packages come from Docker's own repository. Then try another version, `pulumi config set dockerVersion
// 29.x`: `pulumi preview` says which packages would come to which machine, and `pulumi up` ends at the first machine that does
// not come back well, with those behind it as they were.
import * as pulumi from "@pulumi/pulumi";
import * as slipway from "pulumi-slipway";

interface Host {
  readonly host: string;
  readonly port?: number;
  readonly user?: string;
  readonly hostKey?: string;
  readonly privateKeyPath?: string;
  /** A machine that goes ahead of the fleet, or has to stay behind. */
  readonly dockerVersion?: string;
}

const config = new pulumi.Config();
// documentation addresses: nothing answers there
const hosts = config.getObject<Host[]>("hosts") ?? [{ host: "203.0.113.10" }, { host: "203.0.113.11" }];

const fleet: slipway.DockerHost[] = [];
for (const [at, { dockerVersion, ...connection }] of hosts.entries()) {
  const server = new slipway.DockerHost(`server-${at + 1}`, {
    connection,
    // A range that the running version satisfies is no change, so a new release of Docker touches nothing by itself.
    dockerVersion: dockerVersion ?? config.get("dockerVersion") ?? "28.x",
    // A mirror's key is fetched and looked at first: one with another fingerprint is not trusted.
    source: config.getObject<slipway.PackageSourceArgs>("mirror") ?? "docker",
    // Merged into daemon.json: what others wrote there stays. Tried by dockerd before the running one sees it.
    daemonConfig: { "log-driver": "local", "log-opts": { "max-size": "20m" } },
    // They may use Docker without sudo, which is as good as root.
    dockerUsers: config.getObject<string[]>("dockerUsers") ?? [],
    // An upgrade restarts the daemon. Containers go on: live restore is on, unless liveRestore: false.
    allowDaemonRestart: true,
    // Each machine waits for those before it; with 2 it does not wait for the last of them, and so on.
    rollout: { after: [...fleet], parallelism: config.getNumber("parallelism") ?? 1 },
  });
  fleet.push(server);
}

/** What runs where. */
export const versions = fleet.map(({ targets, version }) => pulumi.interpolate`${targets[0]} ${version}`);
/** What somebody else changed since, as the last look found it (`pulumi refresh`). */
export const drift = fleet.map((server) => server.drift);
