import type { Connection } from "ssh2";
// eslint-disable-next-line @typescript-eslint/no-require-imports -- ssh2 has no types for its inside
const { KexInit } = require("ssh2/lib/protocol/kex.js") as { readonly KexInit: new (offer: object) => Offer };

interface Names {
  readonly array: readonly string[];
}

interface Direction {
  readonly cipher: Names;
  readonly mac: Names;
  readonly compress: Names;
}

interface Offer {
  readonly lists: {
    readonly kex: Names;
    readonly serverHostKey: Names;
    readonly cs: Direction;
    readonly sc: Direction;
  };
}

/** Makes a server's connection that has just begun one of a server that knows no strict key exchange. */
export function dropStrict(connection: Connection): void {
  const { _protocol: protocol } = connection as unknown as {
    readonly _protocol: { _offer: Offer; _strictMode: boolean };
  };
  const { kex, serverHostKey, cs, sc } = protocol._offer.lists;
  const plain = ({ cipher, mac, compress }: Direction) => ({
    cipher: cipher.array,
    mac: mac.array,
    compress: compress.array,
    lang: [],
  });
  protocol._offer = new KexInit({
    kex: kex.array.filter((name) => !name.startsWith("kex-strict")),
    serverHostKey: serverHostKey.array,
    cs: plain(cs),
    sc: plain(sc),
  });
  protocol._strictMode = false;
}
