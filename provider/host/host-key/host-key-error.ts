import { SlipwayError } from "../../errors";
import { targetOf } from "../connection";
import {
  type HostKeyDemand,
  type HostKeyVerdict,
  fingerprintOf,
  keyTypeOf,
  knownHostsLine,
} from "./host-key";
import { keyNameOf } from "./host-key-demand";
import type { Route } from "../ssh-config/route";

/** The error for a presented key that was not accepted; nothing was sent that could log in. */
export function hostKeyError(
  connection: Route,
  demand: HostKeyDemand,
  verdict: Exclude<HostKeyVerdict, { kind: "accepted" }>,
  presented: Buffer,
): SlipwayError {
  const fingerprint = fingerprintOf(presented);
  const type = keyTypeOf(presented);
  const parts = { what: "checking the host key", host: targetOf(connection) };
  const { name, port } = keyNameOf(connection);
  const line = knownHostsLine(name, port, presented);
  switch (verdict.kind) {
    case "unknown":
      return new SlipwayError({
        ...parts,
        code: "host-key-unknown",
        why: `the machine presents ${fingerprint} (${type}), and nothing says that this is right (looked in ${demand.source})`,
        left: "Nobody was logged in",
        next: `If the fingerprint is the machine's own, give the connection hostKey: "${fingerprint}", or add this line to known_hosts:`,
        evidence: line,
      });
    case "mismatch":
      return new SlipwayError({
        ...parts,
        code: "host-key-mismatch",
        why: `the machine presents ${fingerprint} (${type}), but ${demand.source} says ${verdict.expected.join(" or ")}${besideAuthority(demand)}`,
        left: "Nobody was logged in; somebody may be listening in between, or the machine was installed anew",
        ...mendMismatch(demand, fingerprint, line),
      });
    case "revoked":
      return new SlipwayError({
        ...parts,
        code: "host-key-revoked",
        why: `the machine presents ${fingerprint} (${type}), which is marked @revoked (${verdict.where})`,
        left: "Nobody was logged in",
        next: "Give the machine new host keys",
      });
  }
}

function besideAuthority({ authority }: HostKeyDemand): string {
  if (authority === "none") return "";
  return " (its @cert-authority line does not count: host certificates cannot be checked here)";
}

/** A line in known_hosts helps only where known_hosts was asked: `hostKey` and a recorded key go before it. */
function mendMismatch(demand: HostKeyDemand, fingerprint: string, line: string) {
  const next = `Only if you know why it changed, put hostKey: "${fingerprint}" into the connection (several may stand there)`;
  return demand.fromFiles ? { next: `${next}, or this line into known_hosts:`, evidence: line } : { next };
}

/** The error for a host for which only a certificate authority stands in known_hosts. */
export function authorityOnlyError(connection: Route, demand: HostKeyDemand): SlipwayError {
  return new SlipwayError({
    code: "host-key-unknown",
    what: "checking the host key",
    host: targetOf(connection),
    why: `known_hosts has only a @cert-authority line for it (${demand.source}), and host certificates cannot be checked here`,
    left: "Nobody was logged in",
    next: "Give the connection the machine's own key as hostKey (ssh-keyscan shows it)",
  });
}
