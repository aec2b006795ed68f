import { createHash } from "node:crypto";
import { LABEL } from "../../container/labels";
import type { Ledger } from "../budget";
import type { PolicyInputs } from "../inputs";

/** Of the agent of one policy on a host: its folder and its units. A name for people, and what makes it the stack's own. */
export function agentKey(stack: string, name: string): string {
  const own = createHash("sha256").update(`${stack}\0${name}`).digest("hex").slice(0, 8);
  const plain = name.toLowerCase().replace(/[^a-z0-9]+/g, "-");
  return `${plain.slice(0, 40)}-${own}`;
}

/** The folder of an agent on its host. */
export function agentFolder(key: string): string {
  return `/var/lib/slipway/health/${key}`;
}

/** What the agent reads: a name and a value a line. */
export function formatSettings(policy: PolicyInputs): string {
  const seconds = (ms: number): number => Math.max(1, Math.ceil(ms / 1_000));
  const label = policy.scope.kind === "label" ? policy.scope.label : LABEL.service;
  const lines = [
    ...(policy.scope.kind === "all" ? [] : [`label ${label}`]),
    // a line without a name: none, which is not all
    ...(policy.services?.length === 0 ? ["service "] : []),
    ...(policy.services ?? []).map((service) => `service ${service}`),
    `repair ${Number(policy.repair)}`,
    `max_restarts ${policy.maxRestarts}`,
    `window ${seconds(policy.windowMs)}`,
    `backoff ${seconds(policy.backoffMs)}`,
    `max_unavailable ${policy.maxUnavailable}`,
  ];
  return `${lines.join("\n")}\n`;
}

/** The budget as the agent keeps it: `ID SECONDS`, a line a restart. */
export function formatLedger(ledger: Ledger): string {
  return Object.entries(ledger)
    .flatMap(([id, times]) => times.map((at) => `${id} ${Math.floor(at / 1_000)}\n`))
    .join("");
}

/** Reads it. */
export function parseLedger(text: string): Ledger {
  const ledger: Record<string, number[]> = {};
  for (const line of text.split("\n")) {
    const [, id, seconds] = /^([0-9a-f]+) (\d{1,12})$/.exec(line) ?? [];
    if (id !== undefined) ledger[id] = [...(ledger[id] ?? []), Number(seconds) * 1_000];
  }
  return ledger;
}
