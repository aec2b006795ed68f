import { newCertificate } from "../support/shown-certificate";
import type { LabHost } from "./lab-host";
import { loadScratchImage } from "./scratch-image";

/** Let's Encrypt's ACME server for tests, on a lab host: it really asks port 80 of each name, as often as it would. */
export interface Pebble {
  readonly directory: string;
  /** PEM of who vouches for the server itself. */
  readonly ca: string;
  /** All that it wrote. */
  log(): Promise<string>;
  /** Lets a name lead to the host. */
  lead(name: string): Promise<void>;
}

const NAME = "acme.test";

/** Starts it as the container `pebble` on a network; these names lead to the host, others to nowhere. */
export async function startPebble(
  host: LabHost,
  { network, names }: { readonly network: string; readonly names: readonly string[] },
): Promise<Pebble> {
  // the one of trixie wants a header that HAProxy does not send
  const image = await loadScratchImage(host, { suite: "sid", program: "pebble", at: "/usr/bin/pebble" });
  const { certificate, key } = newCertificate(NAME);
  const pebble = {
    listenAddress: "0.0.0.0:14000",
    managementListenAddress: "0.0.0.0:15000",
    certificate: "/etc/pebble/cert.pem",
    privateKey: "/etc/pebble/key.pem",
    httpPort: 80,
    tlsPort: 443,
    certificateValidityPeriod: 7_776_000,
  };
  const files = { "cert.pem": certificate, "key.pem": key, "pebble.json": JSON.stringify({ pebble }) };
  await host.must(["mkdir", "-p", "/root/pebble"]);
  for (const [name, text] of Object.entries(files))
    await host.must(["sh", "-c", `cat > /root/pebble/${name}`], { input: text });
  const lead = names.flatMap((name) => ["--add-host", `${name}:host-gateway`]);
  await host.must([
    ...["docker", "run", "-d", "--name", "pebble", "--restart", "always"],
    ...["--network", network, "--network-alias", NAME, ...lead],
    ...["-v", "/root/pebble:/etc/pebble:ro", "-e", "PEBBLE_VA_NOSLEEP=1", image],
    ...["pebble", "-config", "/etc/pebble/pebble.json"],
  ]);
  return {
    directory: `https://${NAME}:14000/dir`,
    ca: certificate,
    log: () => host.must(["sh", "-c", "docker logs pebble 2>&1"]),
    lead: async (name) => {
      const hosts = await host.must(["docker", "inspect", "-f", "{{.HostsPath}}", "pebble"]);
      await host.must([
        "sh",
        "-c",
        'sed -n "s/$2/$3/p" "$1" >"$1.more"; cat "$1.more" >>"$1"',
        "lead",
        hosts,
        names[0] ?? "",
        name,
      ]);
    },
  };
}
