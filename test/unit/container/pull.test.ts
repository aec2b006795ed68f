import assert from "node:assert/strict";
import { Readable } from "node:stream";
import Docker from "dockerode";
import { pullImage } from "../../../provider/container/pull";
import { silentLog } from "../../../provider/log";

describe("pullImage", () => {
  const pulling = (...events: readonly object[]): Promise<void> => {
    const docker = new Docker({ host: "127.0.0.1" });
    const text = events.map((event) => `${JSON.stringify(event)}\r\n`).join("");
    docker.createImage = (() => Promise.resolve(Readable.from([text]))) as typeof docker.createImage;
    return pullImage({ docker, log: silentLog, signal: new AbortController().signal }, "web:1", []);
  };

  it("must end when the engine's answer has ended", () =>
    pulling({ status: "Pulling from web" }, { status: "Status: Downloaded newer image for web:1" }));

  it("must fail with what the engine says within an answer that began well", () =>
    assert.rejects(
      pulling(
        { status: "Extracting" },
        { errorDetail: { message: "no space left on device" }, error: "no space left on device" },
      ),
      /^Error: no space left on device$/,
    ));
});
