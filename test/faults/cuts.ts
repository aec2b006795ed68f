import type { Way } from "./way";

const RENAMES = [
  "after rename web to web.REVISION",
  "after restart policy of web.next: unless-stopped",
  "after rename web.next to web",
  "after restart policy of web.REVISION: no",
];
const TAG = "after tag image slipway/kept:web-REVISION";
const STOP_AND_START = ["switch stopping", "switch oldstopped", "switch nextstarted", "switch nextgated"];

/** Every point of a swap, in its order: before the first operation, under the lock, and after each. */
export const CUTS: Readonly<Record<Way["name"], readonly string[]>> = {
  overlap: [
    "before create web.next",
    "after create web.next",
    "after start web.next",
    "after gate web.next: http :3000/ for 1s",
    ...RENAMES,
    "after stop web.REVISION",
    TAG,
  ],
  bridged: [
    "before create web.next",
    "after create web.next",
    "after create web.try",
    "after start web.try",
    "after gate web.try: http :3000/ for 1s",
    "switch begun",
    "switch ruled",
    "switch drained",
    ...STOP_AND_START,
    "switch unruled",
    "switch end",
    "after switch web to web.next by way of web.try, ports PORT (bridged)",
    ...RENAMES,
    TAG,
  ],
  proxied: [
    "before create web.next",
    "after create web.next",
    "after start web.next",
    "after gate web.next: http :3000/ for 1s",
    "after route web.next ready",
    ...RENAMES,
    "after drain web.REVISION",
    "after wait for web.REVISION to drain, at most 10s",
    "after remove server web.REVISION",
    "after stop web.REVISION",
    TAG,
  ],
  plain: [
    "before create web.next",
    "after create web.next",
    "switch begun",
    ...STOP_AND_START,
    "switch end",
    "after switch web to web.next, ports PORT (plain)",
    ...RENAMES,
    TAG,
  ],
};

/** The host-side program runs there, beside the deployer. */
export function isInSwitch(cut: string): boolean {
  return cut.startsWith("switch ") && cut !== "switch end";
}

/** Live one and candidate may both stand still there, in a plain switch. */
export function isInGap(way: Way, cut: string): boolean {
  return way.name === "plain" && ["switch begun", "switch stopping"].includes(cut);
}
