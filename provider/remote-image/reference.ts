import { createHash, createHmac } from "node:crypto";
import { canonicalJson } from "../values";

// The grammar of image references (distribution/reference), as an allow-list.
const DOMAIN =
  "(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*)(?::[0-9]+)?";
const PART = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const NAME = new RegExp(`^(?:${DOMAIN}/)?${PART}(?:/${PART})*$`);
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const DIGEST = /^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[0-9a-fA-F]{32,}$/;
const LONGEST_NAME = 255;
/** Written into every hash, so that another way to derive refs can be told from another wish. */
const REF_VERSION = 1;

/** An image reference in its parts. */
export interface Reference {
  readonly name: string;
  readonly tag?: string;
  readonly digest?: string;
}

/** True for an image name without a tag: `web`, `registry.example:5000/team/web`. */
export function isImageName(text: string): boolean {
  return text.length <= LONGEST_NAME && NAME.test(text);
}

/** The parts of a reference; undefined when the text is none. */
export function parseReference(text: string): Reference | undefined {
  const at = text.indexOf("@");
  const digest = at === -1 ? undefined : text.slice(at + 1);
  const rest = at === -1 ? text : text.slice(0, at);
  const colon = rest.lastIndexOf(":");
  const tagged = colon > rest.lastIndexOf("/");
  const name = tagged ? rest.slice(0, colon) : rest;
  const tag = tagged ? rest.slice(colon + 1) : undefined;
  if (!isImageName(name) || (tag !== undefined && !TAG.test(tag))) return undefined;
  if (digest !== undefined && !DIGEST.test(digest)) return undefined;
  return { name, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

/** A further tag as a whole reference: "1.4.0" is one of `name`, "web:1.4.0" has a name of its own. Undefined when it is none. */
export function tagReference(name: string, tag: string): string | undefined {
  if (TAG.test(tag)) return `${name}:${tag}`;
  const reference = parseReference(tag);
  return reference?.tag === undefined || reference.digest !== undefined ? undefined : tag;
}

/**
 * The ref of an image: its name, and 12 hex digits of all that goes into the build. Build arguments may be secrets: where
 * there are some, the hash is keyed with the resource's salt; without, it is the same for everybody.
 */
export function imageRef(
  name: string,
  buildInputs: Readonly<Record<string, unknown>>,
  salt: string | undefined,
): string {
  const text = canonicalJson({ version: REF_VERSION, ...buildInputs });
  const hash = salt === undefined ? createHash("sha256") : createHmac("sha256", salt);
  return `${name}:${hash.update(text).digest("hex").slice(0, 12)}`;
}

/** True for a ref that `imageRef` made for this name. */
export function isRefOf(name: string, reference: string): boolean {
  return reference.startsWith(`${name}:`) && /^[0-9a-f]{12}$/.test(reference.slice(name.length + 1));
}
