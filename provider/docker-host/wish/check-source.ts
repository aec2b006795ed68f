import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import path from "node:path";
import type { Fields } from "../../values";
import { type EngineSource, isKeyText } from "../packages/source";

/**
 * Fails an address that holds a password, and files that are not there or are not what their checksum says. It reads the machine
 * that Pulumi runs on, and belongs to check alone: a refresh and a destroy need no files, and take addresses as they were recorded.
 */
export async function checkSource(fields: Fields, source: EngineSource): Promise<void> {
  if (source.kind === "custom") return refuseCredentials(fields, source);
  if (source.kind !== "files") return;
  const given = fields.object("source")?.raw("files");
  const paths = Array.isArray(given) ? given.map((file: unknown) => pathOf(file)) : [];
  for (const file of source.files) {
    const place = `source.files[${paths.indexOf(file.path)}]`;
    const found = await sha256Of(file.path);
    if (typeof found !== "string") fields.fail(`${place}.path`, `cannot be read: ${found.why}`);
    else if (found !== file.sha256)
      fields.fail(`${place}.sha256`, `is not that of the file, which has ${found}`);
  }
}

/** An address is shown in previews and errors, stands in the state, and in a file that everybody on the host may read. */
function refuseCredentials(fields: Fields, { url, key }: Extract<EngineSource, { kind: "custom" }>): void {
  const source = fields.object("source");
  const reason = "must not hold a user or a password, which would be shown and stored in clear";
  if (hasCredentials(url)) {
    source?.fail(
      "url",
      `${reason}; tell the host's package manager instead (apt: a file in /etc/apt/auth.conf.d)`,
    );
  }
  if (key !== undefined && !isKeyText(key) && hasCredentials(key)) {
    source?.fail("key", `${reason}; give the key itself`);
  }
}

function hasCredentials(address: string): boolean {
  // all that stands before the last @ of the part that names the server
  return /^[a-z]+:\/\/[^/]*@/i.test(address);
}

function pathOf(file: unknown): unknown {
  return typeof file === "object" && file !== null && "path" in file ? file.path : undefined;
}

async function sha256Of(file: string): Promise<string | { readonly why: string }> {
  const hash = createHash("sha256");
  try {
    for await (const chunk of createReadStream(path.resolve(file))) hash.update(chunk as Buffer);
    return hash.digest("hex");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    return { why: code === "ENOENT" ? `there is no file ${path.resolve(file)}` : code };
  }
}
