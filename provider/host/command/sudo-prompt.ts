import type { ClientChannel } from "ssh2";
import type { SudoCall } from "./sudo";

/** Sudo's question for a password on one channel: answered once, so that no account is locked. */
export class SudoPrompt {
  /** How often it asked: more than once means that the password was wrong. */
  asked = 0;
  private readonly call: SudoCall | undefined;

  constructor(call: SudoCall | undefined) {
    this.call = call;
  }

  /** Answers what `noise`, all that was said before the command started, asks; a second question ends the input. */
  answer(noise: string, channel: Pick<ClientChannel, "write" | "end">): void {
    if (this.call?.shape.kind !== "password") return;
    const asked = noise.split(this.call.shape.prompt).length - 1;
    if (asked <= this.asked) return;
    this.asked = asked;
    if (asked === 1) channel.write(`${this.call.password ?? ""}\n`);
    else channel.end();
  }
}
