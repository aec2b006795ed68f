import assert from "node:assert/strict";
import {
  pauseAfter,
  type RegistryTrouble,
  REGISTRY_ATTEMPTS,
  throughTrouble,
  troubleIn,
} from "../../../provider/container/registry-trouble";
import type { RegistryUse } from "../../../provider/container/ask-registry";
import { IdleClock } from "../../support/idle-clock";

const REF = "r.example:5000/team/web:1";
const trouble = (status: number, use: RegistryUse = "pull", user?: string, retryAfterMs?: number) =>
  troubleIn(status === 0 ? undefined : { status, retryAfterMs }, REF, use, user);

describe("troubleIn", () => {
  for (const [status, use, user, why, next, isPassing] of [
    [401, "pull", undefined, "r.example:5000 wants a login (status 401)", /Give it one/, false],
    [401, "push", "bot", "r.example:5000 refuses the login of bot (status 401)", /Mend the user name/, false],
    [
      403,
      "push",
      "bot",
      `r.example:5000 does not let bot push ${REF} (status 403)`,
      /Ask for the right/,
      false,
    ],
    [404, "pull", undefined, `r.example:5000 has no ${REF} (status 404)`, /push it there first/, false],
    [404, "push", undefined, `r.example:5000 has no place for ${REF} (status 404)`, /repository/, false],
    [429, "pull", undefined, "r.example:5000 was asked too often (status 429)", /give a login/, true],
    [500, "pull", undefined, "r.example:5000 is not well (status 500)", /when it is/, true],
    [503, "push", undefined, "r.example:5000 is not well (status 503)", /when it is/, true],
  ] as const) {
    it(`must say what ${status} means for a ${use}${user === undefined ? "" : " with a login"}`, () => {
      const found = trouble(status, use, user);
      assert.equal(found.why, why);
      assert.match(found.next ?? "", next);
      assert.equal(found.isPassing, isPassing);
    });
  }

  it("must leave the words to the engine where the registry has nothing against it, or does not answer", () => {
    assert.deepEqual([trouble(200).why, trouble(200).isPassing], [undefined, true]);
    assert.deepEqual([trouble(0).why, trouble(0).isPassing], [undefined, true]);
    assert.match(trouble(0).next ?? "", /r\.example:5000 gave no answer/);
  });
});

describe("pauseAfter", () => {
  const random = (): number => 0;

  it("must wait as long as the registry asks for, and longer each time where it does not say", () => {
    assert.equal(pauseAfter(trouble(429, "pull", undefined, 7_000), 1, random), 7_000);
    assert.equal(pauseAfter(trouble(500), 1, random), 500);
    assert.equal(pauseAfter(trouble(500), 3, random), 2_000);
  });

  it("must not wait for who asks for an hour, for what will not pass, and for ever", () => {
    assert.equal(pauseAfter(trouble(429, "pull", undefined, 3_600_000), 1, random), undefined);
    assert.equal(pauseAfter(trouble(503, "push", undefined, 86_400_000), 1, random), undefined);
    assert.equal(pauseAfter(trouble(401), 1, random), undefined);
    assert.equal(pauseAfter(trouble(500), REGISTRY_ATTEMPTS, random), undefined);
  });
});

describe("throughTrouble", () => {
  const run = async (troubles: readonly RegistryTrouble[]) => {
    const said: string[] = [];
    let attempts = 0;
    const context = {
      clock: new IdleClock(),
      random: () => 0,
      signal: new AbortController().signal,
      say: (line: string) => void said.push(line),
    };
    const attempt = (): Promise<string> => {
      attempts += 1;
      return attempts > troubles.length ? Promise.resolve("done") : Promise.reject(new Error("no"));
    };
    const look = () => Promise.resolve(troubles[attempts - 1] ?? trouble(200));
    const value = await throughTrouble(
      context,
      attempt,
      look,
      (_error, { why }) => new Error(why ?? "engine"),
    ).catch((error: unknown) => (error instanceof Error ? error.message : ""));
    return { value, attempts, said };
  };

  it("must try again while the trouble may pass, and say so", async () => {
    const { value, said } = await run([trouble(429, "pull", undefined, 2_000), trouble(500)]);
    assert.equal(value, "done");
    assert.match(said[0] ?? "", /asked too often .* Trying again in 2s/);
    assert.equal(said.length, 2);
  });

  it("must fail at once for what will not pass, and at last for what did not", async () => {
    assert.deepEqual(await run([trouble(401)]), {
      value: "r.example:5000 wants a login (status 401)",
      attempts: 1,
      said: [],
    });
    const { attempts } = await run(Array.from({ length: 9 }, () => trouble(500)));
    assert.equal(attempts, REGISTRY_ATTEMPTS);
  });
});
