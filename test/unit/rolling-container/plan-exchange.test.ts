import assert from "node:assert/strict";
import type { Found } from "../../../provider/rolling-container/found";
import { formatSteps, type Operation, type Step } from "../../../provider/rolling-container/operation";
import { formatPlan, planHost, provedSlots, stepsOf } from "../../../provider/rolling-container/plan";
import { planBack } from "../../../provider/rolling-container/plan-back";
import { planFinish, planRemoval } from "../../../provider/rolling-container/plan-finish";
import type { ObservedSwitch } from "../../../provider/switch/observed-switch";
import type { SwitchOperation } from "../../../provider/rolling-container/switch-operation";
import { UPDATE_DEFAULTS } from "../../../provider/rolling-container/update-settings";
import { observedSwitch } from "../../support/observed-switch";
import { desiredService, foundContainer, foundHost, LIMITS, wantedContainer } from "../../support/rollout";

const PORTS = [{ container: 3000, host: 80, hostIp: "0.0.0.0", protocol: "tcp" }];
const LIVE = foundContainer({ ports: PORTS });

function host(containers: readonly Found[], seen: Partial<ObservedSwitch> = {}) {
  return foundHost(containers, { switches: { web: observedSwitch(seen) } });
}

function exchangeIn(steps: readonly Step[]): SwitchOperation {
  const found = steps
    .map(({ operation }): Operation => operation)
    .find((operation): operation is SwitchOperation => operation.kind === "switch");
  assert.ok(found, "there is a switch");
  return found;
}

const COMMIT = [
  "* rename web to web.aaaaaaaa (kept, to go back to)",
  "+ restart policy of web.next: unless-stopped (it serves from now on)",
  "* rename web.next to web (it passed its gate)",
  "+ restart policy of web.aaaaaaaa: no (it serves no more)",
  "+ tag image slipway/kept:web-aaaaaaaa (spares the kept one's image)",
];
const BACK = " <- stop web.next, start web, gate web: running for 1s, restart policy of web: unless-stopped";

describe("planHost with the program on the host", () => {
  it("must let a copy serve while the containers change places", () => {
    assert.equal(
      formatPlan(planHost(host([LIVE]), desiredService())),
      [
        "create web.next (the spec changed) <- remove web.next",
        "+ create web.try (a copy serves while the containers change places) <- remove web.try",
        "start web.try (rehearsal)",
        "gate web.try: running for 3s (rehearsal)",
        `switch web to web.next by way of web.try, ports 80/tcp (bridged) (the spec changed)${BACK}`,
        "  else remove web.try (nothing leads to it)",
        `  else switch web to web.next, ports 80/tcp (plain) (the spec changed)${BACK}`,
        "  else   else start web.next (nobody serves) <- stop web.next",
        "  else   else gate web.next: running for 1s (the spec changed)",
        ...COMMIT,
      ].join("\n"),
    );
  });

  it("must give the old one as long to come back as a new one has to become well, and never less than a minute", () => {
    const limits = (healthyDeadlineMs: number): readonly number[] => {
      const update = { ...UPDATE_DEFAULTS, healthyDeadlineMs };
      const steps = stepsOf(planHost(host([LIVE]), desiredService({ update })));
      const { old, backMs, stopTimeoutMs } = exchangeIn(steps);
      const undo = steps
        .flatMap((step) => step.undo ?? [])
        .flatMap((each) => (each.kind === "gate" ? each.deadlineMs : []));
      assert.ok(backMs > old.deadlineMs + stopTimeoutMs);
      // without the program on the host
      const byHand = stepsOf(
        planHost(foundHost([LIVE]), desiredService({ update: { ...update, switch: "plain" } })),
      );
      const back = byHand
        .flatMap((step) => step.undo ?? [])
        .flatMap((each) => (each.kind === "gate" ? each.deadlineMs : []));
      return [old.deadlineMs, ...undo, ...back];
    };
    assert.deepEqual(limits(300_000), [300_000, 300_000, 300_000]);
    assert.deepEqual(limits(5_000), [60_000, 60_000, 60_000]);
  });

  it("must not ask again, before an older one goes, what the program has seen to be well", () => {
    const plan = planHost(host([LIVE]), desiredService());
    assert.deepEqual([...provedSlots(plan)], [1]);
  });

  it("must publish the copy on loopback and gateway alone, and give it no name of the service", () => {
    const spec = { ports: [{ container: 8080, host: 80, protocol: "tcp" as const }], networks: ["bridge"] };
    const steps = stepsOf(planHost(host([LIVE]), desiredService({ spec })));
    const copy = steps
      .map(({ operation }) => operation)
      .find((each) => each.kind === "create" && each.container.name === "web.try");
    assert.ok(copy?.kind === "create");
    assert.deepEqual(copy.options.HostConfig?.PortBindings, {
      "8080/tcp": [
        { HostIp: "127.0.0.1", HostPort: "" },
        { HostIp: "172.17.0.1", HostPort: "" },
      ],
    });
    assert.equal(copy.options.HostConfig.RestartPolicy?.Name, "no");
    const { ports, oldTcp } = exchangeIn(steps);
    assert.deepEqual(ports, [{ container: 8080, host: 80, hostIp: "0.0.0.0", protocol: "tcp" }]);
    assert.deepEqual(oldTcp, [3000], "the old one is drained at its own port");
  });

  it("must stop and start by the program where the host allows no rules, after a rehearsal", () => {
    assert.equal(
      formatPlan(planHost(host([LIVE], { dockerRules: false }), desiredService())),
      [
        "create web.next (the spec changed) <- remove web.next",
        "+ create web.try (a copy without ports proves the version while the old one serves) <- remove web.try",
        "start web.try (rehearsal)",
        "gate web.try: running for 3s (rehearsal)",
        "remove web.try (it has proved the version)",
        `switch web to web.next, ports 80/tcp (plain) (the spec changed)${BACK}`,
        "  else start web.next (nobody serves) <- stop web.next",
        "  else gate web.next: running for 1s (the spec changed)",
        ...COMMIT,
      ].join("\n"),
    );
  });

  it("must give the version its whole time in the switch where nothing has proved it before", () => {
    const update = { ...UPDATE_DEFAULTS, switch: "plain" as const };
    const steps = stepsOf(planHost(host([LIVE]), desiredService({ update })));
    assert.equal(exchangeIn(steps).next.minHealthyMs, 3_000);
    assert.equal(exchangeIn(steps).way.kind, "plain");
    assert.ok(!formatSteps(steps).includes("web.try"));
  });

  it("must go step by step without root's rights", () => {
    const plan = formatPlan(planHost(host([LIVE], { root: false }), desiredService()));
    assert.match(plan, /^stop web \(makes way for web\.next\)/m);
    assert.doesNotMatch(plan, /^switch/m);
  });

  it("must refuse bridged with the reason where it cannot be, and take a network that is yet to be made", () => {
    const update = { ...UPDATE_DEFAULTS, switch: "bridged" as const };
    const seen = { dockerRules: false };
    assert.throws(() => planHost(host([LIVE], seen), desiredService({ update })), {
      code: "switch-impossible",
      message:
        'rolling out "web" on root@host:22: a bridged switch is not possible: the engine keeps no port rules in iptables. Nothing was touched. Mend that, or say update: { switch: "auto" } to accept a gap.',
    });
    const spec = { ...desiredService().spec, networks: ["inner"] };
    planHost(host([]), desiredService({ update, spec }));
    assert.throws(() => planHost(host([LIVE]), desiredService({ update, spec })), /inner is not there yet/);
  });

  it("must refuse to act beside a program that is at work", () => {
    const program = { pid: 1, phase: "ruled" };
    assert.throws(() => planHost(host([LIVE], { program }), desiredService()), { code: "service-locked" });
    planHost(host([LIVE], { program: { pid: 1, phase: "stuck" } }), desiredService());
  });

  it("must exchange for the kept container itself when going back", () => {
    const limits = { ...LIMITS, restart: "no" };
    const kept = wantedContainer({ name: "web.bbbbbbbb", state: "exited", limits });
    const plan = formatPlan(planHost(host([LIVE, kept]), desiredService()));
    assert.match(plan, /^rename web\.bbbbbbbb to web\.next/);
    assert.match(plan, /^switch web to web\.next by way of web\.try/m);
  });
});

describe("planBack with the program on the host", () => {
  const likeIt = { Image: "sha256:old", HostConfig: { NetworkMode: "default" } };
  const before = foundHost([foundContainer({ id: "old", ports: PORTS, likeIt })]);
  const now = host([
    wantedContainer({ id: "new", ports: PORTS }),
    foundContainer({ id: "old", name: "web.aaaaaaaa", state: "exited" }),
  ]);

  it("must let a copy of the old version serve while it comes back", () => {
    assert.equal(
      formatSteps(planBack(before, now, desiredService())),
      [
        "create web.try (a copy serves while the containers change places) <- remove web.try",
        "start web.try (rehearsal)",
        "gate web.try: running for 1s (rehearsal)",
        "switch web to web.aaaaaaaa by way of web.try, ports 80/tcp (bridged) (the rollout failed elsewhere) <- stop web.aaaaaaaa, start web, gate web: running for 1s, restart policy of web: unless-stopped",
        "  else remove web.try (nothing leads to it)",
        "  else switch web to web.aaaaaaaa, ports 80/tcp (plain) (the rollout failed elsewhere) <- stop web.aaaaaaaa, start web, gate web: running for 1s, restart policy of web: unless-stopped",
        "  else   else start web.aaaaaaaa (nobody serves) <- stop web.aaaaaaaa",
        "  else   else gate web.aaaaaaaa: running for 1s (the rollout failed elsewhere)",
        "* rename web to web.next (makes way)",
        "rename web.aaaaaaaa to web (it serves again)",
        "restart policy of web: unless-stopped (it serves again)",
        "remove web.next (the rollout failed elsewhere)",
      ].join("\n"),
    );
  });

  it("must wait first until the copy of the way there has answered what it took", () => {
    const first = (seen: Partial<ObservedSwitch>): string | undefined =>
      formatSteps(
        planBack(before, { ...now, ...host([], seen), service: now.service }, desiredService()),
      ).split("\n")[0];
    const waits = "let the host finish the switch of web (its copy answers what it took)";
    assert.equal(first({ program: { pid: 7, phase: "clearing" } }), waits);
    assert.equal(first({ unfinished: "clearing" }), waits);
    assert.match(first({}) ?? "", /^create web\.try/);
  });

  it("must go back plainly where a copy could not be made, or two of it would write to one place", () => {
    const plainly = planBack(before, now, { ...desiredService(), plainly: true });
    assert.equal(exchangeIn(plainly).way.kind, "plain");
    const mounts = { ...likeIt, HostConfig: { Binds: ["/srv:/srv:rw"] } };
    const writes = foundHost([foundContainer({ id: "old", ports: PORTS, likeIt: mounts })]);
    assert.equal(exchangeIn(planBack(writes, now, desiredService())).way.kind, "plain");
  });
});

describe("what a switch left", () => {
  const limits = { replicas: 1, keepPrevious: 1, update: UPDATE_DEFAULTS };
  const copy = foundContainer({ name: "web.try" });

  it("must go when the live one has proved that it serves, and no sooner", () => {
    assert.equal(formatSteps(planFinish(host([LIVE, copy], { rules: 6 }), limits)), "");
    assert.equal(
      formatSteps(planFinish(host([LIVE, copy], { rules: 6 }), limits, new Set([1]))),
      [
        "end the switch of web (the live one serves)",
        "stop web.try (the live one serves)",
        "remove web.try (the live one serves)",
      ].join("\n"),
    );
  });

  it("must leave no files when the service goes, also where it ended in order", () => {
    assert.match(
      formatSteps(planRemoval(host([LIVE], { files: true }), "deleted")),
      /^end the switch of web \(deleted\)\nstop web/,
    );
    assert.doesNotMatch(formatSteps(planRemoval(host([LIVE]), "deleted")), /end the switch/);
    const renamed = foundHost([LIVE], { switches: { old: observedSwitch({ files: true }) } });
    const tidiness = { replicas: 1, keepPrevious: 1, update: UPDATE_DEFAULTS };
    assert.equal(formatSteps(planFinish(renamed, tidiness)), "end the switch of old (nobody needs it)");
    assert.equal(formatSteps(planFinish(host([LIVE], { files: true }), tidiness)), "");
  });

  it("must be let finish before everything is removed", () => {
    const program = { pid: 1, phase: "ruled" };
    assert.match(
      formatSteps(planRemoval(host([LIVE, copy], { rules: 6, program }), "deleted")),
      /^wait for the switch of web .*\nend the switch of web \(deleted\)\nstop web \(deleted\)/,
    );
  });
});
