import { systemClock } from "../../provider/clock";
import type { HandlerContext } from "../../provider/handler";
import { silentLog } from "../../provider/log";

/** What a handler gets from Pulumi for a resource of this name, with nothing of it shown. */
export function handlerContext(name = "web"): HandlerContext {
  return {
    urn: "",
    name,
    log: silentLog,
    clock: systemClock,
    random: Math.random,
    signal: new AbortController().signal,
    holder: "test, somebody@here",
    stack: "test/test",
  };
}
