import * as pulumi from "@pulumi/pulumi";
import type { MockMonitor } from "@pulumi/pulumi/runtime/mocks";

/** One resource as it was registered with the engine. */
export interface Registered {
  readonly type: string;
  readonly name: string;
  /** What went over the wire; secrets as `{ secret: value }`. */
  readonly inputs: Readonly<Record<string, unknown>>;
  /** Names of the resources that it depends on. */
  readonly dependsOn: readonly string[];
}

const SIGNATURE = "4dabf18193072939515e22adb298388d";

/** The part of the SDK's request that is looked at. */
interface RegisterRequest {
  getType(): string;
  getName(): string;
  getObject(): { toJavaScript(): unknown };
  getDependenciesList(): readonly string[];
}

/**
 * Runs a program against an engine that only takes notes, and gives what it registered, by name; the outputs of a
 * resource are its inputs, as in a preview, and what `computed` says for its name.
 */
export async function registrations(
  program: () => void,
  preview = false,
  computed: Readonly<Record<string, Inputs>> = {},
): Promise<ReadonlyMap<string, Registered>> {
  const seen = new Map<string, Registered>();
  await pulumi.runtime.setMocks(
    {
      newResource: ({ name, inputs }) => ({
        id: preview ? undefined : name,
        state: { ...(inputs as Inputs), ...computed[name] },
      }),
      call: ({ inputs }) => inputs as Inputs,
    },
    "project",
    "stack",
    preview,
  );
  // the mocks get resources with the secrets lifted to the top; what goes over the wire is wanted
  const monitor = pulumi.runtime.getMonitor() as unknown as MockMonitor;
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request: RegisterRequest, callback) => {
    seen.set(request.getName(), {
      type: request.getType(),
      name: request.getName(),
      inputs: clear(request.getObject().toJavaScript()) as Inputs,
      dependsOn: request.getDependenciesList().map((urn) => urn.split("::").at(-1) ?? ""),
    });
    return register(request, callback);
  };
  program();
  // the SDK's own tests wait with it; its types leave it out
  await (pulumi.runtime as unknown as { waitForRPCs(): Promise<void> }).waitForRPCs();
  return seen;
}

type Inputs = Record<string, unknown>;

function clear(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(clear);
  if (typeof value !== "object" || value === null) return value;
  if (SIGNATURE in value && "value" in value) return { secret: clear(value.value) };
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, clear(item)]));
}
