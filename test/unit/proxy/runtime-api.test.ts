import assert from "node:assert/strict";
import {
  freeCommands,
  parseProcesses,
  parseServers,
  placeCommands,
  toProcess,
} from "../../../provider/proxy/runtime-api";

// recorded from HAProxy 3.0.11 and 2.6.12
const PROCESSES_30 = `#<PID>          <type>          <reloads>       <uptime>        <version>      
1               master          1 [failed: 0]   0d00h00m43s     3.0.11-1+deb13u5
# workers
24              worker          0               0d00h00m01s     3.0.11-1+deb13u5
# old workers
8               worker          1               0d00h00m41s     3.0.11-1+deb13u5
# programs

`;
const PROCESSES_26 = `#<PID>          <type>          <reloads>       <uptime>        <version>      
1               master          0               0d00h00m03s     2.6.12-1+deb12u4
# workers
7               worker          0               0d00h00m02s     2.6.12-1+deb12u4
# programs

`;
const STATES = `1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port
3 service.web 1 s1 172.18.0.4 2 8 1 1 2 6 3 2 6 0 0 0 78b5a1324395 3000 - 0 0 - - 0
3 service.web 2 s2 172.18.0.5 2 68 1 1 0 1 0 1 6 0 0 0 8ffada9fb1b9 3000 - 0 0 - - 0
3 service.web 3 s3 172.18.0.2 0 5 1 1 2 1 0 0 14 0 0 0 slipway-free 3000 - 0 0 - - 0
3 service.web 4 s4 - 0 32 1 1 3 1 0 0 14 0 0 0 3f4e8887e765 3000 - 0 0 - - 0

# pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout
service.web,s1,0,0,3,1,,4,321,765
service.web,s2,2,0,1,0,,0,0,0

`;

describe("parseProcesses", () => {
  it("must tell the current process from former ones", () => {
    assert.deepEqual(parseProcesses(PROCESSES_30), {
      version: "3.0.11-1+deb13u5",
      workers: [
        { pid: 24, current: true },
        { pid: 8, current: false },
      ],
    });
    assert.deepEqual(parseProcesses(PROCESSES_26), {
      version: "2.6.12-1+deb12u4",
      workers: [{ pid: 7, current: true }],
    });
  });

  it("must take a text that is no answer for no processes", () => {
    assert.deepEqual(parseProcesses("Unknown command"), { version: "", workers: [] });
  });
});

describe("parseServers", () => {
  it("must read who is where, in which state, with how much to do", () => {
    const lines = parseServers(STATES).map(({ backend, name, container, address, state, up, sessions }) =>
      [backend, name, container ?? "free", address ?? "nowhere", state, up ? "up" : "down", sessions].join(
        " ",
      ),
    );
    assert.deepEqual(lines, [
      "service.web s1 78b5a1324395 172.18.0.4 drain down 3",
      "service.web s2 8ffada9fb1b9 172.18.0.5 ready up 3",
      "service.web s3 free 172.18.0.2 maint down 0",
      "service.web s4 3f4e8887e765 nowhere ready down 0",
    ]);
  });
});

describe("runtime commands", () => {
  it("must name a place by its backend, for one process a line", () => {
    const server = { place: 2, container: "8ffada9fb1b9", address: "172.18.0.5", port: 3000 };
    assert.equal(
      toProcess(placeCommands("web", server)),
      "@1 set server service.web/s2 fqdn 8ffada9fb1b9\n@1 set server service.web/s2 addr 172.18.0.5 port 3000\n",
    );
    assert.equal(
      toProcess(freeCommands("web", 2), 8),
      "@!8 set server service.web/s2 state maint\n@!8 shutdown sessions server service.web/s2\n@!8 set server service.web/s2 fqdn slipway-free\n",
    );
  });
});
