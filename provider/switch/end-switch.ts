import type { HostSession } from "../host/session";
import { RUNNING, switchFolder } from "./place";
import { RULES_BY_COMMENT } from "./program/rules";

/** `$1` the service, `$2` its folder. The word `ended` keeps whoever starts the program again from doing anything. */
const END = `${RULES_BY_COMMENT}${RUNNING}
SERVICE=$1 folder=$2
if running "$folder"; then
  printf 'ended\\n' >"$folder/phase"
  kill "$pid" 2>/dev/null
  tries=0
  while running "$folder" && [ "$tries" -lt 100 ]; do
    sleep 0.05; tries=$((tries + 1))
    [ "$tries" != 60 ] || kill -9 "$pid" 2>/dev/null
  done
fi
rules_off || exit 1
rm -rf "$folder"
`;

/**
 * Ends what is left of a service's switch: a program that only watches, its rules and its files. Not for one that is at
 * work: that has to be followed to its end.
 * @throws SlipwayError command-failed, connection-lost
 */
export async function endSwitch(session: HostSession, service: string, signal?: AbortSignal): Promise<void> {
  await session.run(["/bin/sh", "-c", END, "end-switch", service, switchFolder(service)], {
    sudo: true,
    ...(signal ? { signal } : {}),
  });
}
