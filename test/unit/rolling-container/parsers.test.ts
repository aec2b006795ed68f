import assert from "node:assert/strict";
import { candidateName, copyName, keptName, liveName } from "../../../provider/container/names";
import { formatEvidence, textOfLog } from "../../../provider/container/evidence";
import { loginFor } from "../../../provider/container/pull";
import { lockLabels, parseLockLabels, staleReason } from "../../../provider/container/lock-record";
import { inLockOrder } from "../../../provider/rolling-container/locks";
import { parseListeners, sameAddress, takersOf } from "../../../provider/container/port-takers";
import { parseContainerName } from "../../../provider/rolling-container/slot-name";
import { batchSize } from "../../../provider/rolling-container/update-settings";

describe("parseContainerName", () => {
  it("must be the inverse of the names", () => {
    for (const slot of [1, 2, 13]) {
      assert.deepEqual(parseContainerName(liveName("web", slot), "web"), { slot, phase: "live" });
      assert.deepEqual(parseContainerName(candidateName("web", slot), "web"), { slot, phase: "candidate" });
      assert.deepEqual(parseContainerName(copyName("web", slot), "web"), { slot, phase: "copy" });
      assert.deepEqual(parseContainerName(keptName("web", slot, "0a1b2c3d"), "web"), { slot, phase: "kept" });
    }
  });

  it("must not take another's name for ours", () => {
    for (const name of ["webs", "web-1", "web-0", "web.old", "web-2.next.x", "my-web", "web."]) {
      assert.equal(parseContainerName(name, "web"), undefined, name);
    }
  });
});

describe("parseListeners", () => {
  it("must name the process on a port, and the engine where no container is there for it", () => {
    const text = [
      'tcp   LISTEN 0 511 0.0.0.0:80 0.0.0.0:* users:(("nginx",pid=812,fd=6))',
      'tcp   LISTEN 0 511 [::]:443 [::]:* users:(("docker-proxy",pid=9,fd=4))',
      'tcp   LISTEN 0 511 127.0.0.1:4243 0.0.0.0:* users:(("dockerd",pid=7,fd=4))',
      "udp   UNCONN 0 0 127.0.0.53%lo:53 0.0.0.0:*",
      "tcp   LISTEN 0 128 *:22 *:*",
    ].join("\n");
    assert.deepEqual(
      parseListeners(text).map(({ port, protocol, hostIp, by }) => `${protocol} ${hostIp} ${port} ${by}`),
      [
        "tcp 0.0.0.0 80 the process nginx (pid 812)",
        "tcp :: 443 Docker for a container that it has forgotten (pid 9)",
        "udp 127.0.0.53 53 a process",
        "tcp  22 a process",
      ],
    );
  });

  it("must not take a container's own listener, nameless without root's rights, for another process", () => {
    const web = { port: 80, protocol: "tcp", hostIp: "0.0.0.0", by: 'the container "web"', containerId: "w" };
    const nameless = parseListeners("tcp LISTEN 0 511 0.0.0.0:80 0.0.0.0:*");
    const named = parseListeners('tcp LISTEN 0 511 127.0.0.1:80 0.0.0.0:* users:(("nginx",pid=8,fd=6))');
    const other = parseListeners("tcp LISTEN 0 511 0.0.0.0:81 0.0.0.0:*");
    assert.deepEqual(takersOf([web], [...nameless, ...named, ...other]), [web, ...named, ...other]);
    assert.deepEqual(takersOf([], nameless), nameless);
    const proxy = parseListeners('tcp LISTEN 0 511 0.0.0.0:80 0.0.0.0:* users:(("docker-proxy",pid=9,fd=4))');
    assert.deepEqual(takersOf([web], proxy), [web]);
    assert.deepEqual(takersOf([], proxy), proxy);
  });

  it("must know that an address of all is every address", () => {
    assert.equal(sameAddress("0.0.0.0", "10.0.0.1"), true);
    assert.equal(sameAddress("", "::"), true);
    assert.equal(sameAddress("127.0.0.1", "10.0.0.1"), false);
  });
});

describe("lock labels", () => {
  const session = { bootId: "0123456789abcdef-0000", pid: 42, startTicks: "777" };
  const record = { holder: "p/s, me@here", operation: "ab", session, ttlMs: 60_000 };

  it("must be read as they were written, and nothing else for a lock", () => {
    assert.deepEqual(parseLockLabels(lockLabels(record)), record);
    assert.deepEqual(parseLockLabels(lockLabels({ ...record, session: undefined })), {
      ...record,
      session: undefined,
    });
    assert.equal(parseLockLabels({}), undefined);
  });

  it("must be stale when the holder's process is gone or it is too old, and for nothing else", () => {
    const lock = { id: "1", record, ageMs: 60_000 };
    assert.equal(staleReason(lock, "alive"), undefined);
    assert.equal(staleReason(lock, "unknown"), undefined);
    assert.equal(staleReason(lock, "gone"), "its deployer's connection is gone");
    assert.equal(
      staleReason({ ...lock, ageMs: 60_001 }, "alive"),
      "it is 1m old, longer than a rollout may take",
    );
  });
});

describe("inLockOrder", () => {
  it("must be the same whoever logs in", () => {
    const mixed = ["deploy@b:22", "root@a:22", "ci@c:22"];
    assert.deepEqual([...mixed].sort(inLockOrder), ["root@a:22", "deploy@b:22", "ci@c:22"]);
  });
});

describe("evidence", () => {
  it("must put the framed log together, and leave plain logs as they are", () => {
    const frame = (text: string): Buffer => {
      const head = Buffer.alloc(8);
      head.writeUInt32BE(Buffer.byteLength(text), 4);
      return Buffer.concat([head, Buffer.from(text)]);
    };
    assert.equal(textOfLog(Buffer.concat([frame("a\n"), frame("bé\n")]), false), "a\nbé\n");
    assert.equal(textOfLog(Buffer.from("plain"), true), "plain");
    assert.equal(textOfLog(Buffer.concat([frame("a"), Buffer.from([1, 0])]), false), "a", "a torn frame");
  });

  it("must say how it ended and what it said", () => {
    assert.equal(
      formatEvidence({ ending: "It exited with code 1.", checkOutput: "refused\n", lines: "one\ntwo" }),
      "It exited with code 1.\nIts check said:\n  refused\nIts last lines:\n  one\n  two",
    );
    assert.equal(formatEvidence({ ending: "", checkOutput: "", lines: "" }), "It wrote nothing.");
  });
});

describe("loginFor", () => {
  it("must give a login to its own registry only", () => {
    const login = (address: string) => ({ address, username: "u", password: "p" });
    const own = login("registry.example:5000");
    const hub = login("https://index.docker.io/v1/");
    assert.equal(loginFor("registry.example:5000/web:1", [hub, own]), own);
    assert.equal(loginFor("web:1", [own, hub]), hub);
    assert.equal(loginFor("library/web", [own]), undefined);
    assert.equal(loginFor("registry.example/web:1", [own]), undefined);
  });
});

describe("batchSize", () => {
  it("must round a share up", () => {
    assert.deepEqual(
      [batchSize(2, 9), batchSize({ percent: 25 }, 5), batchSize({ percent: 1 }, 3)],
      [2, 2, 1],
    );
  });
});
