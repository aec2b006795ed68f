import type { LabHost } from "./lab-host";

const FOLDER = "/etc/ssh/sshd_config.d";

/** Takes the settings back; the next login sees sshd as it was before. */
export type RestoreSshd = () => Promise<void>;

let written = 0;

/**
 * Gives a lab host's sshd other settings: a drop-in file that wins over all others, as sshd takes the first value it
 * reads, and the newest drop-in over the older ones. Open connections live on; every later login sees the settings.
 * @param lines sshd_config lines; `Match` blocks end with the text
 * @throws Error with sshd's words when it does not take them; then nothing has changed
 */
export async function sshdSettings(host: LabHost, lines: string): Promise<RestoreSshd> {
  written += 1;
  const path = `${FOLDER}/00-lab-${String(10_000 - written)}.conf`;
  await host.must(["sh", "-c", 'cat >"$1"', "settings", path], { input: `${lines.trim()}\n` });
  const verdict = await host.exec(["/usr/sbin/sshd", "-t"]);
  if (verdict.code !== 0) {
    await host.must(["rm", "-f", path]);
    throw new Error(`sshd on ${host.name} does not take these settings: ${verdict.stderr.trim()}\n${lines}`);
  }
  await restart(host);
  return async () => {
    await host.must(["rm", "-f", path]);
    await restart(host);
  };
}

/**
 * A reload answers before sshd has read its files and listens again; a restart answers after (Type=notify), and leaves
 * the sessions alone (KillMode=process). systemd's limit on starts is for services that crash.
 */
async function restart(host: LabHost): Promise<void> {
  await host.must(["sh", "-c", "systemctl reset-failed ssh; exec systemctl restart ssh"]);
}
