import { SlipwayError } from "../../errors";
import { stripControl, tail } from "../../secret";

/** The repository's server did not answer, or not in a way that says anything of the repository: later it may. */
export function unreachable(repository: string, why: string, cause?: unknown): SlipwayError {
  return new SlipwayError({
    code: "git-unreachable",
    what: `reading ${repository}`,
    why,
    next: "Look whether the server can be reached from here, and run it again",
    cause,
  });
}

/** The server answered, and will answer the same again; or what it answered is nothing that git knows, or that nobody should unpack. */
export function refused(repository: string, why: string, next?: string): SlipwayError {
  return new SlipwayError({ code: "git-refused", what: `reading ${repository}`, why, next });
}

/** A server's words on one line, as they may stand in a message. */
export function wordsOf(text: string): string {
  return tail(stripControl(text).replace(/\s+/g, " ").trim(), 1, 300);
}
