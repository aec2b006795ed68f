import { createHash } from "node:crypto";
import { docker } from "./docker";

/**
 * The image of a Dockerfile's text on top of `base`, made the first time and then kept in the lab's Docker. Tagged with what it was
 * made from; one that was made from something else goes.
 */
export async function keptImage(name: string, base: string, text: string): Promise<string> {
  const id = await docker(["image", "inspect", "--format", "{{.Id}}", base]);
  const image = `${name}:${createHash("sha256").update(id).update(text).digest("hex").slice(0, 12)}`;
  const made = (await docker(["image", "ls", "--format", "{{.Repository}}:{{.Tag}}", name])).split("\n");
  if (made.includes(image)) return image;
  await docker(["build", "--quiet", "--tag", image, "-"], { input: text });
  for (const old of made.filter((tag) => tag !== "")) await docker(["rmi", "--force", old]);
  return image;
}
