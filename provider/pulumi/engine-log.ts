import { createRequire } from "node:module";
import type * as Grpc from "@grpc/grpc-js";

/** One message for the display. */
export interface EngineMessage {
  readonly severity: "info" | "warning";
  /** The resource whose row it belongs to; empty: the stack's. */
  readonly urn: string;
  readonly text: string;
  /** Messages of one stream are taken for one text; 0 is no stream. */
  readonly streamId: number;
  /** Shown live and gone after the run. */
  readonly ephemeral: boolean;
}

/** Where messages go; resolves when the display has the message, or never will. */
export type SendMessage = (message: EngineMessage) => Promise<void>;

const SEND_TIMEOUT_MS = 2_000;
const SEVERITY = { info: 1, warning: 2 } as const;

/** The engine's address: Pulumi gives it to a provider process as the last argument that looks like one. */
export function engineAddress(argv: readonly string[]): string | undefined {
  return argv.slice(2).findLast((argument) => /^[^\s/]+:\d+$/.test(argument));
}

/** Sends to the engine that this process serves, else to standard output, which Pulumi shows too. */
export function sendMessages(
  argv: readonly string[],
  print: (line: string) => void = (line) => console.log(line),
): SendMessage {
  const address = engineAddress(argv);
  const send = address === undefined ? undefined : engineClient(address);
  return send ?? ((message) => printed(message, print));
}

function printed(message: EngineMessage, print: (line: string) => void): Promise<void> {
  // live lines would pile up where nothing can take them away again
  if (!message.ephemeral) print(message.severity === "warning" ? `warning: ${message.text}` : message.text);
  return Promise.resolve();
}

/** The part of the SDK's generated classes that is used; they ship without a public name. */
interface LogRequest {
  setSeverity(severity: number): void;
  setUrn(urn: string): void;
  setMessage(text: string): void;
  setStreamid(id: number): void;
  setEphemeral(ephemeral: boolean): void;
}
interface EngineClient {
  log(request: LogRequest, options: { deadline: number }, done: () => void): void;
}

/** Undefined where the SDK that runs us has no such classes. */
function engineClient(address: string): SendMessage | undefined {
  try {
    // as the SDK itself sees them: gRPC is its dependency, not ours, and need not be reachable from here
    const fromSdk = createRequire(require.resolve("@pulumi/pulumi"));
    const grpc = fromSdk("@grpc/grpc-js") as typeof Grpc;
    const services = fromSdk("@pulumi/pulumi/proto/engine_grpc_pb") as {
      EngineClient: new (address: string, credentials: Grpc.ChannelCredentials) => EngineClient;
    };
    const messages = fromSdk("@pulumi/pulumi/proto/engine_pb") as { LogRequest: new () => LogRequest };
    const client = new services.EngineClient(address, grpc.credentials.createInsecure());
    return (message) => {
      const request = new messages.LogRequest();
      request.setSeverity(SEVERITY[message.severity]);
      request.setUrn(message.urn);
      request.setMessage(message.text);
      request.setStreamid(message.streamId);
      request.setEphemeral(message.ephemeral);
      // the outcome is left unread: an engine that is gone shows nothing, and no operation may fail for its display
      return new Promise((resolve) =>
        client.log(request, { deadline: Date.now() + SEND_TIMEOUT_MS }, () => resolve()),
      );
    };
  } catch {
    // an SDK that is laid out in another way: standard output does as well
    return undefined;
  }
}
