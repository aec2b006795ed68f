import assert from "node:assert/strict";
import { guardWords } from "../../../../provider/docker-host/packages/guard-words";

const refused = (unit: string): string =>
  `Failed to restart ${unit}: Operation refused, unit ${unit} may be requested by dependency only (it is configured to refuse manual start/stop).`;
const HINT = "See system logs and 'systemctl status docker.service' for details.";
const WRAPPER = "Could not execute systemctl:  at /usr/bin/deb-systemd-invoke line 145.";

describe("the words of the guard over Docker's services", () => {
  const shown = (...lines: readonly string[]): readonly string[] => {
    const isGuards = guardWords();
    return lines.filter((line) => !isGuards(line));
  };

  it("must not be shown, nor what Debian's wrapper says of them", () => {
    const lines = [refused("docker.service"), HINT, WRAPPER, refused("containerd.service"), WRAPPER];
    assert.deepEqual(shown("Setting up docker-ce …", ...lines, "Processing …"), [
      "Setting up docker-ce …",
      "Processing …",
    ]);
  });

  it("must be told from what is said of another service, and from a systemctl that fails by itself", () => {
    for (const lines of [[refused("nginx.service"), WRAPPER], [WRAPPER], [HINT]])
      assert.deepEqual(shown(...lines), lines);
    const other = "Failed to start docker.service: Unit docker.service is masked.";
    assert.deepEqual(shown(other, WRAPPER), [other, WRAPPER]);
    assert.deepEqual(shown(refused("docker.service"), "Setting up nginx …", WRAPPER), [
      "Setting up nginx …",
      WRAPPER,
    ]);
  });
});
