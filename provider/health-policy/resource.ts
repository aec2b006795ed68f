import * as pulumi from "@pulumi/pulumi";
import type { ContainerState } from "../container/observed";
import type { HostArgument } from "../docker-host/resource";
import { SlipwayResource } from "../resource";
import type { RollingContainer } from "../rolling-container/resource";

export interface HealthPolicyArgs {
  /** Where it looks: DockerHosts or connections. */
  readonly hosts: pulumi.Input<HostArgument[]>;
  /** RollingContainers (the policy then runs after them) or names of services. @default all of ours */
  readonly services?: pulumi.Input<pulumi.Input<RollingContainer | string>[] | undefined>;
  /**
   * Whom it looks at and may restart: "owned" (made by Slipway), `{ label: "k=v" }` or "all".
   * @default "owned"
   */
  readonly scope?: pulumi.Input<"owned" | "all" | { readonly label: pulumi.Input<string> } | undefined>;
  /** Restart unhealthy ones; false only reports. @default true */
  readonly repair?: pulumi.Input<boolean | undefined>;
  /** Restarts of one container within `window`; then it is given up, loudly. @default 3 */
  readonly maxRestarts?: pulumi.Input<number | undefined>;
  /** Longer than `backoff` between `maxRestarts` takes. @default "10m" */
  readonly window?: pulumi.Input<string | undefined>;
  /** Pause before another restart of the same container; doubled with each. @default "10s" */
  readonly backoff?: pulumi.Input<string | undefined>;
  /** Containers of one service that may be restarting at the same time. @default 1 */
  readonly maxUnavailable?: pulumi.Input<number | undefined>;
  /**
   * An agent on each host goes on between ups, by the same rules and with the same budget: a timer of the host (systemd, OpenRC or
   * cron) starts a small program of ours that uses the docker command alone. Needs root's rights there. Two policies that watch the
   * same containers have a budget each. A preview counts what it
   * has restarted, and names the hosts where it is missing, stopped or another version. @default false
   */
  readonly watch?: pulumi.Input<boolean | undefined>;
  /** How often the agent looks, from "5s" to "1h". @default "15s" */
  readonly watchInterval?: pulumi.Input<string | undefined>;
  /**
   * Where the agent says that it restarted or gave up a container: a Slack-compatible webhook (a POST of `{"text": "…"}`, answered
   * with 2xx; redirects are not followed). No repair waits for it, and what it refuses comes once more at every turn, for an hour.
   * Kept secret: on the host it stands in a file of root's, and in no list of processes but where there is neither curl nor GNU's wget.
   */
  readonly notify?: pulumi.Input<string | undefined>;
  /** `pulumi up` fails when one stays unhealthy; a run that fails exports nothing, so for alarms by `counts` say false. @default true */
  readonly failOnUnhealthy?: pulumi.Input<boolean | undefined>;
  /** Let the policy pass over hosts that do not answer (a refused login or another host key is an answer). @default false */
  readonly abandonUnreachable?: pulumi.Input<boolean | undefined>;
}

/** The health of one container, as it was after the last operation that looked. */
export interface ContainerReport {
  /** The target of its host. */
  readonly host: string;
  readonly name: string;
  /** The service it belongs to, when it is one of ours. */
  readonly service?: string;
  readonly image: string;
  /** Of its service, when it is one of ours. */
  readonly revision?: string;
  readonly state: ContainerState;
  /** "unchecked": it has no check, or there is no way to ask it. */
  readonly health: "healthy" | "unhealthy" | "starting" | "unchecked";
}

/** How many containers are how, to be exported: a job that watches a stack's outputs can raise an alarm. */
export interface HealthCounts {
  readonly containers: number;
  readonly healthy: number;
  readonly unhealthy: number;
  readonly starting: number;
  readonly unchecked: number;
  /** By the last run. */
  readonly restarted: number;
  readonly gaveUp: number;
}

/** What the agent did, or saw, between two ups. */
export interface AgentEvent {
  /** The target of its host. */
  readonly host: string;
  /** ISO 8601, the host's clock. */
  readonly at: string;
  /**
   * "failed": Docker refused to restart it, or the restart could not be noted. "mass": over half of its service is unhealthy at once, so nothing of it was restarted.
   * "unhealthy": the policy only reports.
   */
  readonly event: "restarted" | "failed" | "gave-up" | "recovered" | "mass" | "unhealthy";
  readonly container: string;
  /** Which restart of the container it was within `window`. */
  readonly restarts: number;
  readonly why: string;
}

/** Looks at every container's health, restarts unhealthy ones and waits for them. */
export class HealthPolicy extends SlipwayResource {
  declare readonly report: pulumi.Output<ContainerReport[]>;
  declare readonly counts: pulumi.Output<HealthCounts>;
  /** Containers that the last run restarted and left well, as `target name`. */
  declare readonly restarted: pulumi.Output<string[]>;
  /** Containers that the last up left unhealthy with no restart left, as `target name`. What an agent gave up is in `events`. */
  declare readonly gaveUp: pulumi.Output<string[]>;
  /** The agent that runs on all hosts; empty without `watch`, and where one was stopped or changed. */
  declare readonly agentVersion: pulumi.Output<string>;
  /** What the agent did since the last up, as the last refresh saw it; at most fifty of a host. */
  declare readonly events: pulumi.Output<AgentEvent[]>;

  constructor(name: string, args: HealthPolicyArgs, opts?: pulumi.CustomResourceOptions) {
    // the policy's own name, which is its id
    super(SHAPE, name, { ...args, name, versions: versionsOf(args.services) }, opts);
  }
}

/** What each service is to run: with another version the policy looks again, and preview says so. */
function versionsOf(services: HealthPolicyArgs["services"]): pulumi.Output<string[]> | undefined {
  if (services === undefined) return undefined;
  return pulumi
    .output(services)
    .apply((list) =>
      pulumi.output(
        (list ?? []).map((service) =>
          typeof service === "string" ? service : pulumi.interpolate`${service.image} ${service.specHash}`,
        ),
      ),
    );
}

const SHAPE = {
  kind: "HealthPolicy",
  connections: ["hosts"],
  secrets: ["notify"],
  outputs: ["report", "counts", "restarted", "gaveUp", "agentVersion", "events"],
} as const;
