import { chmod, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type RouteContext, routeOf } from "../../provider/host/ssh-config/route";
import type { Connection } from "../../provider/host/connection";

/** A home folder with these files below `.ssh`, as ssh wants it, and what a look-up there is given. */
export async function sshHome(home: string, files: Readonly<Record<string, string>>): Promise<RouteContext> {
  for (const [name, text] of Object.entries(files)) {
    const path = join(home, ".ssh", name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text, { mode: 0o600 });
    await chmod(path, 0o600);
  }
  const places = { home, user: join(home, ".ssh/config"), system: join(home, "etc/ssh_config") };
  return { places, environment: {}, localUser: "ann" };
}

/** The route to `host` by this configuration. */
export async function routeBy(home: string, config: string, connection: Connection) {
  const context = await sshHome(home, { config });
  return routeOf(connection, context);
}
