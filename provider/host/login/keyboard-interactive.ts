import { stripControl } from "../../secret";
import type { Credential } from "./credential";

/** The machine asked for what we do not have. Thrown into ssh2, which then hangs up: an empty answer would be a guess. */
class AskedForMore extends Error {
  readonly level = "client-authentication";
}

/**
 * Gives the password for the first hidden question, once. Whatever else is asked (a second factor, the password again)
 * ends the login, and the error shows the question.
 */
export function keyboardInteractive(username: string, password: string): Credential {
  let complaint: string | undefined;
  let answered = false;
  return {
    label: "keyboard-interactive",
    complaint: () => complaint,
    method: {
      type: "keyboard-interactive",
      username,
      prompt: (_name, _instructions, _language, prompts, finish) => {
        const asked = prompts.map(({ prompt }) => `"${stripControl(prompt).trim().slice(0, 80)}"`).join(", ");
        if (answered || prompts.length !== 1 || prompts[0]?.echo === true) {
          const before = answered ? "after the password it asks " : "it asks ";
          complaint = `${before}${asked}, and only a password can be given here; let this user log in with a key alone, or without the second question`;
          throw new AskedForMore(complaint);
        }
        answered = true;
        complaint = `it asked ${asked}`;
        finish([password]);
      },
    },
  };
}
