import { targetOf } from "../host/connection";
import type { Wanted } from "./inputs";

/**
 * What preview says of the tasks of the next switch: how many, when and where. Not their words, which may hold secrets. Empty
 * text where there are none.
 */
export function foreseeTasks({ preDeploy = [], postDeploy = [], hosts }: ForeseenTasks): string {
  const [first] = hosts;
  const parts = [
    ...(preDeploy.length > 0 ? [`${count(preDeploy.length, "preDeploy")} before anything is swapped`] : []),
    ...(postDeploy.length > 0 ? [`${count(postDeploy.length, "postDeploy")} when every host serves`] : []),
  ];
  if (parts.length === 0 || first === undefined) return "";
  return `tasks: ${parts.join(", ")}, in containers of the new version on ${targetOf(first)}`;
}

type ForeseenTasks = Pick<Wanted, "preDeploy" | "postDeploy" | "hosts">;

function count(tasks: number, phase: string): string {
  return tasks === 1 ? `the ${phase} task` : `${tasks} ${phase} tasks`;
}
