import type { HostKeyDemand } from "../host-key/host-key";
import type { Route } from "../ssh-config/route";
import type { Transport } from "../transport/transport";
import type { Credential } from "./credential";

/** One attempt to connect and log in. */
export interface LoginAttempt {
  readonly connection: Route;
  readonly credentials: readonly Credential[];
  readonly demand: HostKeyDemand;
  /** Host key algorithms to offer. */
  readonly hostKeyAlgorithms: readonly string[];
  /** Offer nothing that needs strict key exchange. */
  readonly withoutStrict: boolean;
  /** The connection to go through. */
  readonly bastion: Transport | undefined;
  /** Told of the key that the machine presents, whatever becomes of it. */
  readonly onPresented: (key: Buffer) => void;
}
