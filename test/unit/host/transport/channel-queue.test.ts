import assert from "node:assert/strict";
import { ChannelQueue } from "../../../../provider/host/transport/channel-queue";

describe("ChannelQueue", () => {
  it("must hand out no more than the limit, the rest in order", async () => {
    let pressed = 0;
    const queue = new ChannelQueue(2, () => pressed++);
    const first = await queue.take();
    await queue.take();
    const order: number[] = [];
    const third = queue.take().then(() => order.push(3));
    const fourth = queue.take().then(() => order.push(4));
    assert.equal(pressed, 2);
    first();
    first(); // given back twice counts once
    await third;
    assert.deepEqual(order, [3]);
    void fourth;
  });

  it("must fall to what the server allows", async () => {
    const queue = new ChannelQueue(8);
    const held = await queue.take();
    assert.equal(queue.refused(await queue.take()), true);
    let got = false;
    const waiting = queue.take().then(() => {
      got = true;
    });
    await Promise.resolve();
    assert.equal(got, false);
    held();
    await waiting;
  });

  it("must say so when the server allows none at all", async () => {
    const queue = new ChannelQueue(8);
    assert.equal(queue.refused(await queue.take()), false);
  });

  it("must let a waiter go when it is aborted, and lose no place", async () => {
    const queue = new ChannelQueue(1);
    const held = await queue.take();
    const abort = new AbortController();
    const waiting = queue.take(abort.signal);
    abort.abort(new Error("stop"));
    await assert.rejects(waiting, /stop/);
    held();
    await queue.take();
  });

  it("must lose nobody when a waiter is aborted that has just been given a channel", async () => {
    const queue = new ChannelQueue(1);
    const held = await queue.take();
    const abort = new AbortController();
    const given = queue.take(abort.signal);
    const behind = queue.take();
    held();
    abort.abort(new Error("stop"));
    (await given)();
    await behind;
  });

  it("must give long streams half of the places, and one where there is only one", async () => {
    const queue = new ChannelQueue(4);
    const first = await queue.take(undefined, "long");
    await queue.take(undefined, "long");
    let third = false;
    const waiting = queue.take(undefined, "long").then(() => {
      third = true;
    });
    assert.equal(queue.wanted, true);
    await queue.take();
    await queue.take();
    assert.equal(third, false);
    first();
    await waiting;
    await new ChannelQueue(1).take(undefined, "long");
  });

  it("must not take one that is still ending at the server for the server's limit", async () => {
    const queue = new ChannelQueue(8);
    const [first, second] = [await queue.take(), await queue.take()];
    queue.opened(first);
    queue.opened(second);
    await queue.take();
    assert.equal(queue.mayLinger, false, "never were three open");
    second();
    assert.equal(queue.mayLinger, true, "two were");
  });
});
