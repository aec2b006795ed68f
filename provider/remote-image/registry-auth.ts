import type { Fields } from "../values";

/** A login of an image registry. */
export interface RegistryLogin {
  /** Host name and port, as in an image reference. */
  readonly address: string;
  readonly username: string;
  /** Secret. */
  readonly password: string;
}

const HUB = "https://index.docker.io/v1/";
const HUB_NAMES = ["docker.io", "index.docker.io", "registry-1.docker.io"];

/** Reads one login of `registries`; undefined when it is not whole or not known yet. */
export function readRegistry(fields: Fields): RegistryLogin | undefined {
  const address = fields.requiredString("address");
  const username = fields.requiredString("username");
  const password = fields.requiredString("password");
  fields.rejectOthers();
  if (address === undefined || username === undefined || password === undefined) return undefined;
  if (!/^[A-Za-z0-9.:[\]-]+$/.test(address)) {
    return fields.fail("address", "must be a host name with or without a port, as in an image reference");
  }
  return { address, username, password };
}

/** The logins in the form of the Engine API's X-Registry-Config: they are used for this one call and stored nowhere. */
export function registryConfig(
  logins: readonly RegistryLogin[],
): Readonly<Record<string, { readonly username: string; readonly password: string }>> {
  return Object.fromEntries(
    logins.map(({ address, username, password }) => [
      HUB_NAMES.includes(address) ? HUB : address,
      { username, password },
    ]),
  );
}
