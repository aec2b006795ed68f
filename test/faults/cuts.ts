import type { Way } from "./way";

const RENAMES = [
  "after rename web to web.REVISION",
  "after rename web.next to web",
  "after restart policy of web: unless-stopped",
  "after restart policy of web.REVISION: no",
];
const IN_PLACE = [
  "after restart policy of web: always",
  "after stop web",
  "after start web.next",
  "after gate web.next: http :3000/ for 1s",
  ...RENAMES,
  "after tag image slipway/kept:web-REVISION",
];

/** Every point of a swap, in its order: before the first operation, under the lock, and after each. */
export const CUTS: Readonly<Record<Way["name"], readonly string[]>> = {
  overlap: [
    "before create web.next",
    "after create web.next",
    "after start web.next",
    "after gate web.next: http :3000/ for 1s",
    ...RENAMES,
    "after stop web.REVISION",
    "after tag image slipway/kept:web-REVISION",
  ],
  bridged: [
    "before create web.next",
    "after create web.next",
    "after create web.try",
    "after start web.try",
    "after gate web.try: http :3000/ for 1s",
    "after remove web.try",
    ...IN_PLACE,
  ],
  plain: ["before create web.next", "after create web.next", ...IN_PLACE],
};

/** From here on, to here, nobody serves in a switch that a dead deployer carried out himself. */
export function isInGap(way: Way, cut: string): boolean {
  const gapBegins = CUTS[way.name].indexOf("after stop web");
  const gapEnds = CUTS[way.name].indexOf("after start web.next");
  const at = CUTS[way.name].indexOf(cut);
  return gapBegins >= 0 && at >= gapBegins && at < gapEnds;
}
