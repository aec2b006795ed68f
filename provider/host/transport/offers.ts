import { isSlipwayError, type SlipwayError } from "../../errors";
import { isAttemptEnd } from "./attempt-failed";
import type { DialContext } from "./dial-context";
import { hostKeyAlgorithms, keyTypeOf, withoutKeyType } from "../host-key/host-key";
import type { LoginAttempt } from "../login/login-attempt";
import { type Dialled, dialOnce } from "./dial-once";

/**
 * Connects with the algorithms that fit the machine, of which it tells only while they are agreed on. In no round but the
 * last one a login is tried.
 * - A fingerprint does not say what type of key it is of: a machine that presents another type first is asked again
 *   without that type before it is called a mismatch.
 * - A machine that has no key of the types we hold is asked for any, so that the refusal can name what it has.
 * - A machine without strict key exchange is asked again without what needs it.
 */
export async function attemptEachOffer(
  wanted: Pick<LoginAttempt, "connection" | "credentials" | "demand">,
  findBastion: () => Promise<LoginAttempt["bastion"]>,
  context: DialContext,
): Promise<Dialled> {
  const { demand } = wanted;
  const all = hostKeyAlgorithms({ ...demand, accepted: [] });
  let algorithms = hostKeyAlgorithms(demand);
  let withoutStrict = false;
  let mismatch: SlipwayError | undefined;
  for (;;) {
    let presentedType: string | undefined;
    const onPresented = (key: Buffer): void => {
      presentedType = keyTypeOf(key);
    };
    const bastion = await findBastion(); // what its key is found to be says nothing of the machine's
    try {
      const offer = { hostKeyAlgorithms: algorithms, withoutStrict, onPresented };
      return await dialOnce({ ...wanted, ...offer, bastion }, context);
    } catch (error) {
      if (isSlipwayError(error, "host-key-mismatch")) {
        mismatch ??= error;
        algorithms = withoutKeyType(algorithms, presentedType ?? "");
        if (demand.accepted.every(({ kind }) => kind === "key") || algorithms.length === 0) throw mismatch;
      } else if (isAttemptEnd(error, "needs-strict") && !withoutStrict) {
        withoutStrict = true;
      } else if (isAttemptEnd(error, "no-agreement") && mismatch !== undefined) {
        throw mismatch;
      } else if (isAttemptEnd(error, "no-agreement") && algorithms.length < all.length) {
        algorithms = all;
      } else {
        throw error;
      }
    }
  }
}
