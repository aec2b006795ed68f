import { systemClock } from "../../provider/clock";
import { dockerHostHandler as handler } from "../../provider/docker-host/handler";
import type { HandlerContext, Properties } from "../../provider/handler";
import { closeConnections } from "../../provider/host/pool";
import { messageOf } from "../../provider/errors";

/** A stack of its own, in a process of its own: creates a DockerHost, or updates or deletes that of `olds`, and says what it does. */
async function main(): Promise<void> {
  const {
    inputs,
    olds,
    holder,
    destroys = false,
  } = JSON.parse(process.argv[2] ?? "") as {
    readonly inputs: Properties;
    readonly olds?: Properties;
    readonly destroys?: boolean;
    readonly holder: string;
  };
  const write = (line: string): void => void process.stdout.write(`${line}\n`);
  const context: HandlerContext = {
    urn: holder,
    name: "host",
    log: { progress: write, keep: write, warn: write, debug: () => {} },
    clock: systemClock,
    random: Math.random,
    signal: new AbortController().signal,
    holder,
    stack: holder,
  };
  try {
    if (olds === undefined) await handler.create(inputs, context);
    else if (destroys) await handler.delete("id", olds, context);
    else await handler.update("id", olds, inputs, context);
    write("done");
  } catch (error) {
    write(`failed: ${messageOf(error)}`);
    process.exitCode = 1;
  } finally {
    closeConnections();
  }
}

void main();
