import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

/** A key as ssh-keygen writes it. */
export interface KeyFile {
  readonly path: string;
  readonly privateKey: string;
  readonly publicKey: string;
}

/** Makes a key in `folder`; `args` say of which kind and in which format (`-t rsa -m PEM`). */
export async function makeKey(
  folder: string,
  name: string,
  args: readonly string[] = ["-t", "ed25519"],
  passphrase = "",
): Promise<KeyFile> {
  const path = join(folder, name);
  await promisify(execFile)("ssh-keygen", ["-q", ...args, "-N", passphrase, "-C", name, "-f", path]);
  return { path, privateKey: await readFile(path, "utf8"), publicKey: await readFile(`${path}.pub`, "utf8") };
}
