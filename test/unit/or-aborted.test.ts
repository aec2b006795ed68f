import assert from "node:assert/strict";
import { once } from "node:events";
import { PassThrough } from "node:stream";
import { orAborted, streamOrAborted } from "../../provider/or-aborted";

const stopped = (): AbortSignal => AbortSignal.abort(new Error("stop"));

describe("orAborted", () => {
  it("must leave no failure unhandled that comes when nobody waits", async () => {
    const unhandled: unknown[] = [];
    const note = (error: unknown): void => void unhandled.push(error);
    const others = process.listeners("unhandledRejection");
    process.removeAllListeners("unhandledRejection").on("unhandledRejection", note);
    try {
      await assert.rejects(orAborted(Promise.reject(new Error("late")), stopped()), /stop/);
      await new Promise(setImmediate);
    } finally {
      process.off("unhandledRejection", note);
      for (const each of others) process.on("unhandledRejection", each);
    }
    assert.deepEqual(unhandled, []);
  });
});

describe("streamOrAborted", () => {
  it("must close a stream that opens when nobody waits for it any more", async () => {
    let open: (stream: PassThrough) => void = () => {};
    const opening = new Promise<PassThrough>((resolve) => (open = resolve));
    await assert.rejects(streamOrAborted(opening, stopped()), /stop/);
    const stream = new PassThrough();
    open(stream);
    await once(stream, "close");
  });
});
