import type { HandlerContext } from "../handler";
import { type Connection, targetOf } from "../host/connection";
import { orAbandoned, withAbandonHint } from "../host/machine/unreachable";
import { dropImage } from "./ensure-image";
import type { RecordedImage } from "./recorded";

/**
 * Takes the image off a host that is not one of the resource's any more. One that does not answer is left as it is where
 * the program said so; a machine with one of the ids in `staying` is another address of a host that stays.
 */
export async function leaveHost(
  host: Connection,
  recorded: RecordedImage,
  staying: ReadonlySet<string>,
  context: HandlerContext,
): Promise<void> {
  const { ref, keepOnDelete, abandonUnreachable } = recorded;
  if (keepOnDelete) return context.log.keep(`${ref} stays on ${targetOf(host)}`);
  const say = (why: string): void =>
    context.log.warn(`${ref} was left on ${targetOf(host)}, which does not answer: ${why}`);
  const drop = (): Promise<void> => dropImage(host, recorded, staying, context);
  await orAbandoned({ abandonUnreachable, say }, drop).catch((error: unknown) => {
    throw withAbandonHint(error);
  });
}
