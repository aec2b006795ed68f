import { SlipwayError } from "../../errors";
import type { SudoCall } from "./sudo";

/** The shell's exit code for a command that is not there. */
const NOT_FOUND = 127;

/**
 * Why sudo did not start the command. Its own exit code is 1 for everything, so how often it asked decides; its own words
 * (under LC_ALL=C) only pick the advice, and stand below.
 */
export function sudoError(
  target: string,
  sudo: SudoCall,
  prompts: number,
  code: number | null,
  words: string,
): SlipwayError {
  const fail = (why: string, next: string): SlipwayError =>
    new SlipwayError({
      code: "sudo-unavailable",
      what: "becoming root by sudo",
      host: target,
      why,
      next,
      evidence: withoutPrompts(words, sudo),
    });
  if (prompts > 1 || (prompts === 1 && words.includes("incorrect password"))) {
    return fail("sudo did not take the password", "Check sudoPassword; it was tried once");
  }
  if (/\btty\b|terminal is required to run/.test(words)) {
    return fail(
      "sudo wants a terminal (requiretty)",
      "Take `requiretty` out of sudoers for this user: `Defaults:USER !requiretty`",
    );
  }
  if (code === NOT_FOUND) {
    return fail("there is no sudo", "Install it, or log in as root");
  }
  if (prompts === 1) {
    return fail(
      "the password was taken, but sudo does not let this user run commands as root",
      "Add the user to sudoers (on Debian: the group sudo), or log in as root",
    );
  }
  if (sudo.shape.kind === "passwordless") {
    return fail(
      "sudo asks for a password, or does not let this user run commands as root",
      "Give the connection sudoPassword, allow NOPASSWD in sudoers, or log in as root",
    );
  }
  return fail("sudo refused before it asked for a password", "See its own words below");
}

/** Our prompt, which sudo prints before its own words, tells a reader nothing. */
function withoutPrompts(words: string, { shape }: SudoCall): string {
  const shown = shape.kind === "password" ? words.split(shape.prompt).join("") : words;
  return shown.replace(/\n\s*\n/g, "\n").trim();
}
