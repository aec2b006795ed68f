/** Replaces every known secret in a text, its base64 and url-encoded forms included. */
export type Redact = (text: string) => string;

const SHORTEST = 4;
const MASK = "[secret]";

/**
 * A redactor for these values. Values under four characters are left alone: they would tear ordinary text apart.
 * Lines of a multi-line secret (a private key) are blacked out one by one, since logs are cut into lines.
 */
export function redactor(values: Iterable<string>): Redact {
  const forms = new Set<string>();
  for (const value of values) {
    for (const line of [value, ...value.split(/\r?\n/)]) {
      const text = line.trim();
      if (text.length < SHORTEST) continue;
      forms.add(text);
      forms.add(Buffer.from(text).toString("base64").replace(/=+$/, ""));
      forms.add(encodeURIComponent(text));
    }
  }
  const longestFirst = [...forms]
    .filter((form) => form.length >= SHORTEST)
    .sort((a, b) => b.length - a.length);
  return (text) => longestFirst.reduce((clear, form) => clear.split(form).join(MASK), text);
}

/**
 * Remote text made safe for a terminal: escape sequences, other control characters and bidirectional overrides are
 * taken out, line feeds and tabs stay.
 */
export function stripControl(text: string): string {
  return (
    text
      // OSC (ended by BEL or ST), then CSI, then any other escape of two characters
      .replace(/\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b\[[0-?]*[ -/]*[@-~]|\u001b[@-_]?/g, "")
      .replace(/\r\n?/g, "\n")
      .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "")
  );
}

/** The last lines of a text, at most `lines` of them and `bytes` characters, for messages. */
export function tail(text: string, lines = 20, characters = 4_000): string {
  const cut = text.trimEnd().slice(-characters);
  return cut.split("\n").slice(-lines).join("\n");
}
