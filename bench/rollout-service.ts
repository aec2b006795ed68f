import { systemClock } from "../provider/clock";
import { edgeProxyHandler } from "../provider/edge-proxy/handler";
import type { Handler, HandlerContext, Properties } from "../provider/handler";
import { silentLog } from "../provider/log";
import { rollingContainerHandler } from "../provider/rolling-container/handler";
import { isObject } from "../provider/values";

/** One rollout as it was lived through from here. */
export interface Rolled {
  readonly ms: number;
  /** When the rollout began and ended, and when it said what it does next; all on the clock of `performance.now()`. */
  readonly beganMs: number;
  readonly said: readonly { readonly atMs: number; readonly line: string }[];
  /** `bridged`, `proxied`, `overlap` or `plain`. */
  readonly switch: string;
  readonly gapMs: number;
  /** What was done, one line each. */
  readonly operations: readonly string[];
}

/** A resource as Pulumi would drive it, with its outputs kept between the runs. */
abstract class Driven {
  private readonly handler: Handler;
  private readonly name: string;
  private outputs: Properties | undefined;

  protected constructor(handler: Handler, name: string) {
    this.handler = handler;
    this.name = name;
  }

  protected async apply(inputs: Properties): Promise<Rolled> {
    const { handler, name } = this;
    const said: { readonly atMs: number; readonly line: string }[] = [];
    const context = contextOf(name, (line) => void said.push({ atMs: performance.now(), line }));
    const beganMs = performance.now();
    const { inputs: news, failures } = await handler.check({}, { name, __salt: SALT, ...inputs }, context);
    if (failures.length > 0) {
      throw new Error(failures.map(({ property, reason }) => `${name}: ${property} ${reason}`).join("; "));
    }
    this.outputs =
      this.outputs === undefined
        ? (await handler.create(news, context)).outputs
        : await handler.update(name, this.outputs, news, context);
    const ms = performance.now() - beganMs;
    const last = isObject(this.outputs.lastRollout) ? this.outputs.lastRollout : {};
    return {
      ms,
      beganMs,
      said,
      switch: typeof last.switch === "string" ? last.switch : "",
      gapMs: Number(last.gapMs ?? 0),
      operations: Array.isArray(last.operations) ? last.operations.map(String) : [],
    };
  }

  /** The output of that name. */
  output(key: string): unknown {
    return this.outputs?.[key];
  }

  async remove(): Promise<void> {
    if (this.outputs !== undefined)
      await this.handler.delete(
        this.name,
        this.outputs,
        contextOf(this.name, () => {}),
      );
    this.outputs = undefined;
  }
}

/** A RollingContainer that is brought from version to version. */
export class Service extends Driven {
  private readonly inputs: Properties;

  /** `inputs`: all arguments but `image` and `name`. */
  constructor(name: string, inputs: Properties) {
    super(rollingContainerHandler, name);
    this.inputs = inputs;
  }

  /** Brings it up, or swaps it. */
  roll(image: string, more: Properties = {}): Promise<Rolled> {
    return this.apply({ ...this.inputs, image, ...more });
  }
}

/** An EdgeProxy. */
export class Proxy extends Driven {
  constructor(name: string) {
    super(edgeProxyHandler, name);
  }

  async up(inputs: Properties): Promise<void> {
    await this.apply(inputs);
  }
}

const SALT = "00112233445566778899aabbccddeeff";

function contextOf(name: string, say: (line: string) => void): HandlerContext {
  return {
    urn: "",
    name,
    log: { ...silentLog, progress: say, keep: say, warn: say },
    clock: systemClock,
    random: Math.random,
    signal: new AbortController().signal,
    holder: "bench",
    stack: "bench/bench",
  };
}
