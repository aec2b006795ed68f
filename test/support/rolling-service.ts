import assert from "node:assert/strict";
import type { HandlerContext, Properties } from "../../provider/handler";
import { silentLog } from "../../provider/log";
import { rollingContainerHandler as handler } from "../../provider/rolling-container/handler";
import { handlerContext } from "./handler-context";

/** A service "web" as its program would bring it up, through the real handler. */
export class RollingService {
  /** What was said to stay. */
  readonly said: string[] = [];
  /** Told each step as it is shown. */
  onProgress: (text: string) => unknown = () => undefined;
  private readonly base: Properties;

  /** `base`: its arguments, but for the image. */
  constructor(base: Properties) {
    this.base = { name: "web", __salt: "00112233445566778899aabbccddeeff", ...base };
  }

  async create(image: string, more: Properties = {}): Promise<Properties> {
    return (await handler.create(await this.checked(image, more), this.context())).outputs;
  }

  async update(
    olds: Properties,
    image: string,
    more: Properties = {},
    signal: AbortSignal = new AbortController().signal,
  ): Promise<Properties> {
    return handler.update("web", olds, await this.checked(image, more), this.context(signal));
  }

  async refresh(outputs: Properties): Promise<Properties> {
    const read = await handler.read("web", outputs, this.context());
    assert.ok(read);
    return read.outputs;
  }

  /** Whether the engine would call update though no argument has changed. */
  async sees(olds: Properties, image: string, more: Properties = {}): Promise<boolean> {
    const news = await this.checked(image, more);
    return (await handler.diff("web", olds, news, this.context())).changes === true;
  }

  delete(outputs: Properties): Promise<void> {
    return handler.delete("web", outputs, this.context());
  }

  private async checked(image: string, more: Properties): Promise<Properties> {
    const { inputs, failures } = await handler.check({}, { ...this.base, image, ...more }, this.context());
    assert.deepEqual(failures, []);
    return inputs;
  }

  private context(signal: AbortSignal = new AbortController().signal): HandlerContext {
    const keep = (text: string): void => void this.said.push(text);
    const log = { ...silentLog, keep, warn: keep, progress: (text: string) => void this.onProgress(text) };
    return { ...handlerContext(), log, signal };
  }
}
