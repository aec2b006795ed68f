import { formatDuration } from "../duration";
import type { HandlerContext, Properties } from "../handler";
import { newAccount } from "../proxy/acme";
import { selfSignedPem } from "../proxy/self-signed";
import { mustHaveAcmeClient } from "./acme-client";
import { type Desired, desiredOf } from "./desired";
import { executeSteps, type Execution } from "./execute";
import { ensureImage } from "./image";
import type { ProxyInputs } from "./inputs";
import { observeHost, type ProxyAccess, type ProxyFound } from "./observe";
import { outputsOf } from "./outputs";
import { formatSteps, type Step } from "./operation";
import { anotherStacks, isOwn, stackOf } from "./owner";
import { planProxy, planRemoval } from "./plan";
import { planLeft } from "./plan-exchange";
import { refuseForeign } from "./refuse";

/** One call of the handler on its host. */
export interface ProxyRun {
  readonly access: ProxyAccess;
  readonly proxy: ProxyInputs;
  /** What the outputs repeat. */
  readonly inputs: Properties;
  readonly context: HandlerContext;
  /** The outputs before this call, if any. */
  readonly olds?: Properties;
}

/** What a host is after it was brought to what the arguments say. */
export interface Converged {
  readonly found: ProxyFound;
  readonly outputs: Properties;
}

/** Brings the host to what the arguments say; certificates from an ACME server come after it. */
export async function converge({ access, proxy, inputs, context, olds }: ProxyRun): Promise<Converged> {
  const desired = desiredOf(proxy, context.stack, olds);
  const seen = await settled(desired, access, context);
  refuseForeign(desired, seen);
  const found = { ...seen, imageId: seen.imageId ?? (await ensureImage(access, proxy, context)) };
  await mustHaveAcmeClient(access, desired, found);
  const newCertificate = (): string => selfSignedPem({ names: [proxy.connection.host, proxy.name] });
  const steps = planProxy(desired, found, { newCertificate, newAccount });
  warnOfLostRoutes(found, context);
  const { gapMs, exchanged } = await execute(steps, access, context);
  if (exchanged !== undefined) {
    const gap = gapMs === 0 ? "without a gap" : `with a gap of at most ${formatDuration(gapMs)}`;
    context.log.keep(`the proxy's container was exchanged ${gap} (${exchanged})`);
  } else if (gapMs > 0) context.log.keep(`nobody answered for at most ${formatDuration(gapMs)}`);
  const after = steps.length === 0 ? found : await observeHost(access, desired);
  const lastExchange = exchanged === undefined ? olds?.lastExchange : { switch: exchanged, gapMs };
  const { hostKey } = access.session;
  return {
    found: after,
    outputs: outputsOf(inputs, { proxy, desired, found: after, hostKey, lastExchange }),
  };
}

/** The host, once no exchange is at work there, or left halfway. */
async function settled(desired: Desired, access: ProxyAccess, context: HandlerContext): Promise<ProxyFound> {
  const seen = await observeHost(access, desired);
  const left = planLeft(desired, seen);
  if (left.length === 0) return seen;
  await execute(left, access, context);
  return observeHost(access, desired);
}

/** What is there; undefined when nothing of the proxy is. */
export async function lookAt({
  access,
  proxy,
  inputs,
  context,
  olds = inputs,
}: ProxyRun): Promise<Properties | undefined> {
  const desired = desiredOf(proxy, context.stack, olds);
  const found = await observeHost(access, desired);
  if (anotherStacks(found, desired) !== undefined) return undefined;
  const isThere = [found.live, found.candidate].some((each) => each !== undefined && isOwn(each, desired));
  if (!isThere && found.folder === undefined) return undefined;
  const { lastExchange } = inputs;
  return outputsOf(inputs, { proxy, desired, found, hostKey: access.session.hostKey, lastExchange });
}

/** Takes everything of the proxy off the host. What is gone already counts as done. */
export async function remove({ access, proxy, inputs, context }: ProxyRun): Promise<void> {
  const desired = desiredOf(proxy, context.stack, inputs);
  const found = await settled(desired, access, context);
  const stranger = anotherStacks(found, desired);
  if (stranger !== undefined)
    return context.log.warn(`"${stranger.name}" is the stack ${stackOf(stranger)}'s, and was left there`);
  const services = found.folder?.routes.map(({ service }) => service) ?? [];
  if (services.length > 0) context.log.warn(`${services.join(", ")} had routes here, and have none now`);
  await execute(planRemoval(desired, found), access, context);
}

async function execute(
  steps: readonly Step[],
  access: ProxyAccess,
  { log }: HandlerContext,
): Promise<Execution> {
  if (steps.length > 0) log.debug(`plan:\n${formatSteps(steps)}`);
  return executeSteps(steps, { ...access, log });
}

function warnOfLostRoutes({ folder }: ProxyFound, { log }: HandlerContext): void {
  const lost = folder?.routes.filter(({ entry }) => entry === undefined).map(({ service }) => service) ?? [];
  if (lost.length === 0) return;
  log.warn(
    `the routes of ${lost.join(", ")} cannot be read any more and go; pulumi up --refresh writes them anew`,
  );
}
