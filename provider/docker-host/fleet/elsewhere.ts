import { isSlipwayError, SlipwayError } from "../../errors";
import { PartialFailure } from "../../handler";
import { suspendClaim, versionsElsewhere } from "./claims";

/**
 * Changes the machine of a resource; where that fails, the error tells what the other machines of this run have come to: a
 * fleet ends in the middle.
 */
export async function amidOthers<T>(urn: string, change: () => Promise<T>): Promise<T> {
  suspendClaim(urn);
  try {
    return await change();
  } catch (error) {
    const versions = versionsElsewhere(urn);
    throw versions === undefined ? error : telling(error, `Of the other hosts of this run: ${versions}`);
  }
}

function telling(error: unknown, sentence: string): unknown {
  if (error instanceof PartialFailure && isSlipwayError(error.cause)) {
    return new PartialFailure(error.id, error.outputs, withLeft(error.cause, sentence));
  }
  return isSlipwayError(error) ? withLeft(error, sentence) : error;
}

function withLeft({ parts }: SlipwayError, sentence: string): SlipwayError {
  const left = parts.left === undefined ? sentence : `${parts.left}. ${sentence}`;
  return new SlipwayError({ ...parts, left });
}
