import assert from "node:assert/strict";
import type { ClientChannel } from "ssh2";
import { sendTerm } from "../../../../provider/host/command/send-term";

describe("sendTerm", () => {
  let sent: unknown[];
  beforeEach(() => {
    sent = [];
  });
  const signal = (...words: readonly unknown[]): void => void sent.push(words);
  const told = (parts: object): unknown => {
    sendTerm({ signal: (name: string) => signal("own", name), ...parts } as unknown as ClientChannel);
    return sent;
  };

  it("must reach a command whose standard input has ended, and none that is closing", () => {
    const _client = { _protocol: { signal } };
    for (const state of ["open", "eof", "closing", "closed"]) told({ outgoing: { id: 3, state }, _client });
    assert.deepEqual(sent, [
      [3, "TERM"],
      [3, "TERM"],
    ]);
  });

  it("must make do with what ssh2 promises where ssh2 looks otherwise inside", () => {
    const outgoing = { id: 3, state: "eof" };
    const others = [
      {},
      { outgoing },
      { outgoing, _client: {} },
      { outgoing, _client: { _protocol: {} } },
      { outgoing: {}, _client: { _protocol: { signal } } },
    ];
    for (const parts of others) {
      sent = [];
      assert.deepEqual(told(parts), [["own", "TERM"]]);
    }
  });
});
