import type { Fields } from "../values";

/** A login of an image registry. */
export interface RegistryLogin {
  /** Host name and port, as in an image reference. */
  readonly address: string;
  readonly username: string;
  /** Secret. */
  readonly password: string;
}

/** Reads one login of `registries`; undefined when it is not whole or not known yet. */
export function readRegistry(fields: Fields): RegistryLogin | undefined {
  const address = fields.requiredString("address");
  const username = fields.requiredString("username");
  const password = fields.requiredString("password");
  fields.rejectOthers();
  if (address === undefined || username === undefined || password === undefined) return undefined;
  return { address, username, password };
}
