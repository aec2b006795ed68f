import type { LabConnection, LabHost } from "./lab-host";

/** A user of a lab host beyond the four that every one has. */
export interface LabAccount {
  readonly name: string;
  /** The login shell. @default /bin/bash */
  readonly shell?: string;
  /** Files of the home folder by name, as `.bashrc`. */
  readonly files?: Readonly<Record<string, string>>;
  /** @default none */
  readonly groups?: readonly string[];
  readonly password?: string;
}

/** Makes the user, with the key that opens all users of the host, and returns how it logs in. */
export async function addAccount(host: LabHost, account: LabAccount): Promise<LabConnection> {
  const { name, shell = "/bin/bash", files = {}, groups = [], password } = account;
  const home = `/home/${name}`;
  await host.must(["useradd", "--create-home", "--shell", shell, "--password", "*", name]);
  for (const group of groups) await host.must(["usermod", "--append", "--groups", group, name]);
  if (password !== undefined) await host.must(["chpasswd"], { input: `${name}:${password}\n` });
  for (const [file, text] of Object.entries(files)) {
    await host.must(["sh", "-c", 'cat >"$1"', "file", `${home}/${file}`], { input: text });
  }
  await host.must(["cp", "--recursive", "/root/.ssh", home]);
  await host.must(["chown", "--recursive", `${name}:${name}`, home]);
  return { ...host.connection("root"), user: name };
}

/** Installs Debian packages on a lab host. */
export async function installOn(host: LabHost, packages: readonly string[]): Promise<void> {
  const install = "apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq";
  await host.must(["sh", "-c", `${install} --no-install-recommends "$@"`, "install", ...packages]);
}
