import type { SudoShape } from "./command";

/** How one call goes through sudo. */
export interface SudoCall {
  readonly shape: SudoShape;
  readonly password?: string | undefined;
}

/** What is known about root's rights on a connection, kept as long as it lives. */
export type RootRights =
  | { readonly kind: "root" }
  | { readonly kind: "passwordless" }
  | { readonly kind: "password"; readonly password: string };

/** The sudo call for these rights; `nonce` makes the prompt one that nothing else can print. */
export function sudoCall(rights: RootRights, nonce: string): SudoCall | undefined {
  switch (rights.kind) {
    case "root":
      return undefined;
    case "passwordless":
      return { shape: { kind: "passwordless" } };
    case "password":
      return { shape: { kind: "password", prompt: `<slipway-sudo-${nonce}>` }, password: rights.password };
  }
}
