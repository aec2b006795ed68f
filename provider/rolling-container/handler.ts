import type {
  CheckResult,
  Created,
  DiffResult,
  Failure,
  Handler,
  HandlerContext,
  Properties,
} from "../handler";
import { targetsOf } from "../host/connection-fields";
import type { Route } from "../proxy/route";
import { canonicalJson, Fields, hasUnknown, UNKNOWN } from "../values";
import { claimService, type ServiceClaim } from "./claims";
import { parseWanted, readInputs, serviceOf } from "./inputs";
import type { Log } from "../log";
import { driftIn } from "./outputs";
import { foreseeCertificates } from "./foresee-certificates";
import { foreseeSwitch } from "./foresee-switch";
import { foreseeTasks } from "./foresee-tasks";
import { readService } from "./read";
import { reconnected } from "./reconnected";
import { removeService } from "./removal";
import { rollOut } from "./rollout";
import { readServiceRoute } from "./route-inputs";

/** A service on one host or several: swapped only after the new version passed its gate. */
export const rollingContainerHandler: Handler = {
  check(_olds: Properties, news: Properties, { urn }: HandlerContext): Promise<CheckResult> {
    const { failures, hosts, specHash } = readInputs(news);
    const targets = targetsOf(hosts);
    const twice = claimedTwice({ urn, service: serviceOf(news), targets });
    return Promise.resolve({ inputs: { ...news, targets, specHash }, failures: [...failures, ...twice] });
  },

  diff(_id: string, olds: Properties, news: Properties, { log }: HandlerContext): Promise<DiffResult> {
    const drift = driftIn(olds);
    if (drift !== undefined) log.keep(`${drift}: it will be put right`);
    else if (swaps(olds, news)) sayHow(olds, news, log);
    else if (!hasUnknown(news.route) && canonicalJson(olds.route) !== canonicalJson(news.route))
      log.keep("route: changed in place, no container is swapped");
    const certificates = foreseeCertificates(routeIn(news), routeIn(olds));
    if (certificates !== "") log.keep(certificates);
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

/** Two resources with one service on one machine would swap each other's containers away. */
function claimedTwice(claim: ServiceClaim): readonly Failure[] {
  // what preview does not know yet is nobody's place
  const isKnown =
    claim.service !== "" && ![claim.service, ...claim.targets].some((each) => each.includes(UNKNOWN));
  if (claim.urn === "" || !isKnown) return [];
  const other = claimService(claim);
  if (other === undefined) return [];
  const by = other.urn.slice(other.urn.lastIndexOf("::") + 2);
  const reason = `is the service of the resource "${by}" on ${other.target} already: give one of them another name`;
  return [{ property: "name", reason }];
}

/** As far as it is known. */
function routeIn({ route }: Properties): Route | undefined {
  return hasUnknown(route) ? undefined : readServiceRoute(new Fields({ route }));
}

function swaps(olds: Properties, news: Properties): boolean {
  return ["specHash", "image", "name"].some((key) => !hasUnknown(news[key]) && olds[key] !== news[key]);
}

function sayHow(olds: Properties, news: Properties, log: Log): void {
  const { wanted } = readInputs(news);
  if (wanted === undefined) return;
  log.keep(foreseeSwitch(wanted, olds));
  const tasks = foreseeTasks(wanted);
  if (tasks !== "") log.keep(tasks);
}
