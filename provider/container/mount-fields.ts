import type { Fields } from "../values";
import type { MountSpec } from "./spec";

const TYPES = ["volume", "bind", "tmpfs"] as const;

/** Reads one of `mounts`: `{ type?, source?, target, readOnly? }`. Without a type, a path is a bind and a name is a volume. */
export function readMount(fields: Fields): MountSpec | undefined {
  const source = fields.string("source");
  const target = fields.requiredString("target");
  const type = fields.oneOf("type", TYPES) ?? (source?.startsWith("/") ? "bind" : "volume");
  const readOnly = fields.boolean("readOnly");
  fields.rejectOthers();
  if (target !== undefined && !target.startsWith("/")) fields.fail("target", "must be an absolute path");
  if (type === "bind" && source?.startsWith("/") !== true && !(fields.unknown && source === undefined)) {
    fields.fail("source", "must be an absolute path of the host");
  }
  if (type === "volume" && source !== undefined && !/^[A-Za-z0-9][A-Za-z0-9_.-]+$/.test(source)) {
    fields.fail("source", "must be a volume's name: letters, digits, and _ . -");
  }
  if (type === "tmpfs" && source !== undefined) fields.fail("source", "a tmpfs has none");
  if (target === undefined) return undefined;
  return {
    type,
    target,
    ...(source === undefined ? {} : { source }),
    ...(readOnly === true ? { readOnly } : {}),
  };
}
