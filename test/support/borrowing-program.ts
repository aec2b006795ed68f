import { type Connection } from "../../provider/host/connection";
import { withHost } from "../../provider/host/pool";
import { borrower } from "./borrow";

/** A program of its own: borrows the connection of its argument, runs a command or not, and says so on stdout. */
async function main(): Promise<void> {
  const { connection, command, stay } = JSON.parse(process.argv[2] ?? "") as {
    readonly connection: Connection;
    readonly command?: readonly string[];
    /** Goes on with other things afterwards. */
    readonly stay?: boolean;
  };
  await withHost(connection, borrower().options, async (session) => {
    if (command === undefined) return;
    const ended = session.run(command);
    process.stdout.write("running\n");
    await ended;
  });
  if (stay === true) setInterval(() => {}, 60_000);
  process.stdout.write("idle\n");
}

void main();
