import type { TemporaryFolder } from "./temporary-folder";

/** A place behind a route, as one of HAProxy's processes has it. */
export interface FileServer {
  readonly place: string;
  /** The first digits of its id. */
  readonly container: string;
  /** @default "172.18.0.4" */
  readonly address?: string;
  /** HAProxy's operational and administrative state. @default "2 0": it serves */
  readonly state?: string;
  /** Open requests. @default 0 */
  readonly open?: number;
}

const COLUMNS =
  "be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port";

/**
 * Arms of a `case` for a docker command of ours: HAProxy's processes are the files `proc` and `worker.PID`, and what it is told goes
 * into `told`.
 */
export const HAPROXY_ARMS = `
  *dial-stdio*) while read -r pid line; do
    case "$line" in
      'show servers'*) cat "$FAKE/worker.\${pid#@!}" ;;
      *) [ "$pid $line" = 'show proc' ] && cat "$FAKE/proc" || echo "$pid $line" >>"$FAKE/told" ;;
    esac
  done ;;
`;

/** Writes what the processes of a proxy have behind the route of `web`: the current one, then former ones. */
export function writeHaproxy(
  folder: TemporaryFolder,
  workers: readonly (readonly [pid: number, servers: readonly FileServer[]])[],
): void {
  const [current = 0, ...old] = workers.map(([pid]) => pid);
  const line = (pid: number): string => `${pid}   worker   0   0d00h00m01s   3.0.11\n`;
  folder.file("proc", `1   master   0\n# workers\n${line(current)}# old workers\n${old.map(line).join("")}`);
  for (const [pid, servers] of workers) {
    const states = servers.map(
      ({ place, container, address = "172.18.0.4", state = "2 0" }) =>
        `3 service.web 1 ${place} ${address} ${state} 1 1 2 6 3 2 6 0 0 0 ${container} 3000\n`,
    );
    const stats = servers.map(({ place, open = 0 }) => `service.web,${place},0,0,${open},1\n`);
    const text = `1\n# ${COLUMNS}\n${states.join("")}\n# pxname,svname,qcur,qmax,scur,smax\n${stats.join("")}\n`;
    folder.file(`worker.${pid}`, text);
  }
}
