import type Docker from "dockerode";
import { type Redact, redactor } from "../secret";
import { engineStatus } from "./engine-status";

/** Blacks out every value of a container's environment: for its logs and its check's output. Nothing when it is gone. */
export async function envRedactor(docker: Docker, id: string): Promise<Redact> {
  try {
    const { Config } = await docker.getContainer(id).inspect();
    // PATH and its like are in every image, and no secret
    const own = Config.Env.filter((line) => !line.startsWith("PATH="));
    return redactor(own.map((line) => line.slice(line.indexOf("=") + 1)));
  } catch (error) {
    if (engineStatus(error) === 404) return (text) => text;
    throw error;
  }
}
