import type { CheckResult, Created, DiffResult, Handler, HandlerContext, Properties } from "../handler";
import { targetsOf } from "../host/connection-fields";
import { hasUnknown } from "../values";
import { parseWanted, readInputs } from "./inputs";
import type { Log } from "../log";
import { driftIn } from "./outputs";
import { foreseeSwitch } from "./foresee-switch";
import { readService } from "./read";
import { reconnected } from "./reconnected";
import { removeService } from "./removal";
import { rollOut } from "./rollout";

/** A service on one host or several: swapped only after the new version passed its gate. */
export const rollingContainerHandler: Handler = {
  check(_olds: Properties, news: Properties): Promise<CheckResult> {
    const { failures, hosts, specHash } = readInputs(news);
    return Promise.resolve({ inputs: { ...news, targets: targetsOf(hosts), specHash }, failures });
  },

  diff(_id: string, olds: Properties, news: Properties, { log }: HandlerContext): Promise<DiffResult> {
    const drift = driftIn(olds);
    if (drift !== undefined) log.keep(`${drift}: it will be put right`);
    else if (swaps(olds, news)) sayHow(olds, news, log);
    return Promise.resolve({ changes: drift === undefined ? undefined : true });
  },

  async create(inputs: Properties, context: HandlerContext): Promise<Created> {
    const wanted = parseWanted(inputs);
    return { id: wanted.service, outputs: await rollOut({ wanted, inputs, olds: undefined }, context) };
  },

  async read(id: string, outputs: Properties, context: HandlerContext): Promise<Created> {
    return { id, outputs: await readService(outputs, context) };
  },

  async update(
    _id: string,
    olds: Properties,
    news: Properties,
    context: HandlerContext,
  ): Promise<Properties> {
    const wanted = parseWanted(news);
    const untouched = await reconnected({ olds, news, wanted }, context);
    return untouched ?? rollOut({ wanted, inputs: news, olds }, context);
  },

  delete(_id: string, outputs: Properties, context: HandlerContext): Promise<void> {
    return removeService(outputs, context);
  },
};

function swaps(olds: Properties, news: Properties): boolean {
  return ["specHash", "image", "name"].some((key) => !hasUnknown(news[key]) && olds[key] !== news[key]);
}

function sayHow(olds: Properties, news: Properties, log: Log): void {
  const { wanted } = readInputs(news);
  if (wanted !== undefined) log.keep(foreseeSwitch(wanted, olds));
}
