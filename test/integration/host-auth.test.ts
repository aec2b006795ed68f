import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { type Server, createServer } from "node:net";
import { join } from "node:path";
import type { AuthContext } from "ssh2";
import { isSlipwayError } from "../../provider/errors";
import type { Connection } from "../../provider/host/connection";
import { closeConnections, withHost } from "../../provider/host/pool";
import { borrower } from "../support/borrow";
import { makeKey } from "../support/key-files";
import { type TestAgent, startAgent } from "../support/ssh-agent";
import { type SshServerOptions, type SshTestServer, startSshServer } from "../support/ssh-server";
import { TemporaryFolder } from "../support/temporary-folder";

const PASSWORD = "correct horse";

describe("authentication", () => {
  let folder: TemporaryFolder;
  let server: SshTestServer | undefined;
  let agent: TestAgent | undefined;
  const environmentAgent = process.env.SSH_AUTH_SOCK;

  beforeEach(() => {
    folder = new TemporaryFolder();
    delete process.env.SSH_AUTH_SOCK;
  });
  afterEach(async () => {
    closeConnections();
    await Promise.all([server?.stop(), agent?.stop()]);
    server = agent = undefined;
    folder.remove();
    if (environmentAgent === undefined) delete process.env.SSH_AUTH_SOCK;
    else process.env.SSH_AUTH_SOCK = environmentAgent;
  });

  /** How one gets to a new server when nothing is given to log in with. */
  const start = async (options: SshServerOptions): Promise<Connection> => {
    server = await startSshServer(options);
    const { host, port, hostKey } = server.connection;
    return { host, hostKey: hostKey ?? "", dialErrorLimit: 3, ...(port !== undefined && { port }) };
  };
  const login = (connection: Connection): Promise<string> =>
    withHost(connection, borrower().options, ({ hostKey }) => Promise.resolve(hostKey));
  const refusal = async (connection: Connection, code: string): Promise<string> => {
    const error: unknown = await login(connection).then(
      () => new Error("it logged in"),
      (thrown: unknown) => thrown,
    );
    assert.ok(isSlipwayError(error), String(error));
    assert.equal(error.code, code, error.message);
    assert.ok(!error.message.includes(PASSWORD), error.message);
    return error.message;
  };

  describe("by a key", () => {
    it("must log in with a file, encrypted or not, and say what is wrong with the passphrase before dialling", async () => {
      const key = await makeKey(folder.path, "id", ["-t", "ed25519"], PASSWORD);
      const there = await start({ authorizedKeys: [key.publicKey] });
      const connection = { ...there, privateKeyPath: key.path };
      assert.match(
        await refusal(connection, "invalid-input"),
        /it is encrypted, and privateKeyPassword is not given/,
      );
      const wrong = { ...connection, privateKeyPassword: "wrong horse" };
      assert.match(await refusal(wrong, "invalid-input"), /privateKeyPassword does not open it/);
      await login({ ...connection, privateKeyPassword: PASSWORD });
      assert.equal(server?.counts.attempts, 0);
    });

    it("must refuse what is no private key, each kind by its name, before dialling", async () => {
      const key = await makeKey(folder.path, "id");
      const there = await start({ authorizedKeys: [key.publicKey] });
      for (const [privateKey, words] of [
        [key.publicKey, /privateKey cannot be used: it is a public key\. Give the private half/],
        [
          "ssh-ed25519-cert-v01@openssh.com AAAAIHNzaC1l x",
          /a certificate \(ssh-ed25519-cert-v01@openssh\.com\)/,
        ],
        [
          "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1l x",
          /a key in hardware \(sk-ssh-ed25519@openssh\.com\)/,
        ],
        ["hunter2", /it cannot be read/],
      ] as const) {
        const message = await refusal({ ...there, privateKey, password: PASSWORD }, "invalid-input");
        assert.match(message, words);
        assert.ok(!message.includes("hunter2"), message);
      }
      assert.equal(server?.counts.attempts, 0);
    });
  });

  describe("by an agent", () => {
    it("must log in, and offer no key twice", async () => {
      const [wrong, right] = [
        await makeKey(folder.path, "wrong"),
        await makeKey(folder.path, "right", ["-t", "rsa"]),
      ];
      agent = await startAgent(folder.path, [wrong.path, right.path]);
      const there = await start({ authorizedKeys: [right.publicKey] });
      await login({ ...there, agentSocketPath: agent.socketPath });
      assert.equal(server?.counts.attempts, 1);
      closeConnections();
      await login({ ...there, privateKeyPath: wrong.path, agentSocketPath: agent.socketPath });
      assert.equal(server.counts.attempts, 2);
    });

    it("must ask the environment's agent when nothing else is given", async () => {
      const key = await makeKey(folder.path, "id");
      agent = await startAgent(folder.path, [key.path]);
      const there = await start({ authorizedKeys: [key.publicKey] });
      assert.match(await refusal(there, "invalid-input"), /SSH_AUTH_SOCK is not set/);
      process.env.SSH_AUTH_SOCK = agent.socketPath;
      await login(there);
    });

    it("must use the agent's key for an encrypted file, and for a public half", async () => {
      const key = await makeKey(folder.path, "id");
      agent = await startAgent(folder.path, [key.path]);
      const locked = await makeKey(folder.path, "locked", ["-t", "ed25519"], PASSWORD);
      const there = {
        ...(await start({ authorizedKeys: [key.publicKey] })),
        agentSocketPath: agent.socketPath,
      };
      await login({ ...there, privateKeyPath: `${key.path}.pub` });
      const message = await refusal({ ...there, privateKeyPath: locked.path }, "invalid-input");
      assert.match(
        message,
        /is encrypted, and privateKeyPassword is not given; the agent at .* does not hold it/,
      );
      assert.equal(server?.counts.attempts, 0);
    });

    it("must name an agent that is empty, one that is gone and one that was never there", async () => {
      const there = await start({});
      agent = await startAgent(folder.path);
      const at = { ...there, agentSocketPath: agent.socketPath };
      assert.match(
        await refusal(at, "invalid-input"),
        /agent at .*\/agent: it holds no key, or is locked \(ssh-add/,
      );
      await agent.stop();
      assert.match(
        await refusal(at, "invalid-input"),
        /agent at .*\/agent: there is no such socket.*start one/,
      );
      const path = join(folder.path, "dead");
      const dead: Server = createServer((socket) => socket.destroy()).listen(path);
      const closed = once(dead, "close");
      const message = await refusal({ ...there, agentSocketPath: path }, "invalid-input").finally(() =>
        dead.close(),
      );
      assert.match(message, /agent at .*\/dead: it closed the connection without an answer/);
      await closed;
      await writeFile(path, "");
      assert.match(
        await refusal({ ...there, agentSocketPath: path }, "invalid-input"),
        /nobody listens there/,
      );
    });

    it("must offer five keys of many, and say how to name the right one", async () => {
      const keys = await Promise.all(Array.from({ length: 10 }, (_, at) => makeKey(folder.path, `key${at}`)));
      agent = await startAgent(
        folder.path,
        keys.map(({ path }) => path),
      );
      const there = await start({ authorizedKeys: [keys[7]?.publicKey ?? ""] });
      const message = await refusal({ ...there, agentSocketPath: agent.socketPath }, "authentication-failed");
      assert.equal(server?.counts.attempts, 5);
      assert.match(message, /refused (the agent's key SHA256:\S+ \(key\d\)(, then )?){5};/);
      assert.match(
        message,
        /not tried: 5 of 10 keys of the agent at .*privateKeyPath with its public half.*IdentitiesOnly/,
      );
      await login({
        ...there,
        privateKeyPath: `${keys[7]?.path ?? ""}.pub`,
        agentSocketPath: agent.socketPath,
      });
      assert.equal(server.counts.attempts, 5);
    });
  });

  describe("by a password", () => {
    const methods = (list: readonly AuthContext["method"][], judge: (context: AuthContext) => boolean) => {
      const asked: string[] = [];
      const onAuthentication = (context: AuthContext): void => {
        asked.push(context.method);
        if (list.includes(context.method) && judge(context)) context.accept();
        else if (context.method !== "keyboard-interactive" || !list.includes(context.method))
          context.reject([...list]);
      };
      return { asked, onAuthentication };
    };
    const isRight = (context: AuthContext): boolean =>
      context.method === "password" && context.password === PASSWORD;

    it("must not send it before the machine said that it takes one", async () => {
      const { asked, onAuthentication } = methods(["publickey"], () => false);
      const there = await start({ onAuthentication });
      const message = await refusal({ ...there, password: PASSWORD }, "authentication-failed");
      assert.match(message, /it takes publickey; not tried: password/);
      assert.deepEqual(asked, ["none"]);
    });

    it("must try a wrong one once, though the machine takes it two ways", async () => {
      const { asked, onAuthentication } = methods(["password", "keyboard-interactive"], () => false);
      const there = await start({ onAuthentication });
      const message = await refusal({ ...there, password: "battery staple" }, "authentication-failed");
      assert.match(message, /refused password;/);
      assert.ok(!message.includes("battery"), message);
      assert.deepEqual(asked, ["none", "password"]);
    });

    it("must answer a question for it", async () => {
      const onAuthentication = (context: AuthContext): void => {
        if (context.method !== "keyboard-interactive") return context.reject(["keyboard-interactive"]);
        context.prompt([{ prompt: "Password: ", echo: false }], (answers) =>
          answers[0] === PASSWORD ? context.accept() : context.reject(["keyboard-interactive"]),
        );
      };
      const there = await start({ onAuthentication });
      await login({ ...there, password: PASSWORD });
      const message = await refusal({ ...there, password: "battery staple" }, "authentication-failed");
      assert.match(message, /refused keyboard-interactive \(it asked "Password:"\)/);
    });

    for (const [where, rounds] of [
      ["after it", [["Password: "], ["\u001b[31mVerification code: "]]],
      ["beside it", [["Password: ", "Verification code: "]]],
    ] as const) {
      it(`must show a second question that comes ${where}, and answer none`, async () => {
        let questions = 0;
        const onAuthentication = (context: AuthContext): void => {
          if (context.method !== "keyboard-interactive") return context.reject(["keyboard-interactive"]);
          const [first, second] = rounds.map((round) => round.map((prompt) => ({ prompt, echo: false })));
          questions++;
          context.prompt(first ?? [], () => {
            questions++;
            context.prompt(second ?? [], () => (questions = 99));
          });
        };
        const there = await start({ onAuthentication });
        const message = await refusal({ ...there, password: PASSWORD }, "authentication-failed");
        assert.match(message, /asks .*"Verification code:", and only a password can be given here/);
        assert.equal(questions, rounds.length);
      });
    }

    for (const [first, second] of [
      ["publickey", "password"],
      ["password", "publickey"],
    ] as const) {
      it(`must give both where ${first} and then ${second} are wanted, and say so where one is missing`, async () => {
        const key = await makeKey(folder.path, "id");
        const taken = new Set<string>();
        const onAuthentication = (context: AuthContext): void => {
          const wanted = taken.has(first) ? second : first;
          const right = context.method === wanted && (wanted === "publickey" || isRight(context));
          if (!right) return context.reject([wanted]);
          // a key is shown first, and signs when it will do
          if (context.method === "publickey" && context.signature === undefined) return context.accept();
          taken.add(wanted);
          if (taken.size === 2) context.accept();
          else context.reject([second], true);
        };
        const there = await start({ onAuthentication });
        await login({ ...there, privateKey: key.privateKey, password: PASSWORD });
        taken.clear();
        const one = first === "password" ? { password: PASSWORD } : { privateKey: key.privateKey };
        const message = await refusal({ ...there, ...one }, "authentication-failed");
        const name = first === "password" ? "password" : "privateKey";
        assert.ok(
          message.includes(`the machine took ${name} and asks for more; it takes ${second}`),
          message,
        );
      });
    }
  });
});
