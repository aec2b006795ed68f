import type { Properties } from "../../provider/handler";
import { RollingService } from "./rolling-service";

/** A program of its own that updates a service, to be killed on the way; says each step. */
async function main(): Promise<void> {
  const { base, olds, image } = JSON.parse(process.argv[2] ?? "") as {
    readonly base: Properties;
    readonly olds: Properties;
    readonly image: string;
  };
  const service = new RollingService(base);
  service.onProgress = (text) => process.stdout.write(`${text}\n`);
  await service.update(olds, image);
  process.stdout.write("done\n");
}

void main();
