import { readRegistry, type RegistryLogin } from "../container/registry-login";
import type { Fields } from "../values";

const HUB = "https://index.docker.io/v1/";
const HUB_NAMES = ["docker.io", "index.docker.io", "registry-1.docker.io"];

/** Reads one login for a build, whose address is looked up as it stands in image references. */
export function readBuildRegistry(fields: Fields): RegistryLogin | undefined {
  const login = readRegistry(fields);
  if (login === undefined || /^[A-Za-z0-9.:[\]-]+$/.test(login.address)) return login;
  return fields.fail("address", "must be a host name with or without a port, as in an image reference");
}

/** The name under which Docker looks for a registry's login. */
export function authAddress({ address }: RegistryLogin): string {
  return HUB_NAMES.includes(address) ? HUB : address;
}

/** The logins in the form of the Engine API's X-Registry-Config: they are used for this one call and stored nowhere. */
export function registryConfig(
  logins: readonly RegistryLogin[],
): Readonly<Record<string, { readonly username: string; readonly password: string }>> {
  return Object.fromEntries(
    logins.map((login) => [authAddress(login), { username: login.username, password: login.password }]),
  );
}
