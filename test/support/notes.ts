import type { EngineMessage } from "../../provider/pulumi/engine-log";

/** A display that takes notes: each message as one line. */
export class Notes {
  readonly messages: EngineMessage[] = [];

  readonly send = (message: EngineMessage): Promise<void> => {
    this.messages.push(message);
    return Promise.resolve();
  };

  /** `live text`, `kept text` or `warning text`. */
  get lines(): readonly string[] {
    return this.messages.map(({ severity, ephemeral, text }) => {
      const kind = ephemeral ? "live" : severity === "warning" ? "warning" : "kept";
      return `${kind} ${text}`;
    });
  }
}
