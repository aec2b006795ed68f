// Imports point downward only (design: index, pulumi -> resource folders -> container, health, proxy -> host -> leaves).
const resources = "^provider/(docker-host|remote-image|rolling-container|health-policy|edge-proxy)/";
const leaves =
  "^provider/(resource|errors|clock|retry|log|secret|duration|handler|values|all-ended|or-aborted|nonce)\\.ts$";

/** DockerHost's rooms in the order of docs/architecture.md: each uses those before it only. */
const rooms = ["init", "packages", "daemon", "fleet", "wish", "look", "plan", "apply", "preview", "removal"];

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: "no-circular", severity: "error", from: {}, to: { circular: true } },
    {
      name: "leaves-import-leaves-only",
      severity: "error",
      from: { path: leaves },
      to: { path: "^provider/", pathNot: [leaves], dependencyTypesNot: ["type-only"] },
    },
    {
      name: "host-imports-leaves-only",
      severity: "error",
      from: { path: "^provider/host/" },
      to: { path: "^provider/", pathNot: ["^provider/host/", leaves] },
    },
    {
      name: "ssh-belongs-to-host",
      severity: "error",
      from: { path: "^provider/", pathNot: "^provider/host/" },
      to: { path: "(^|node_modules/)ssh2(/|$)" },
    },
    {
      name: "nobody-runs-programs-here",
      severity: "error",
      from: { path: "^provider/" },
      to: { path: "^(node:)?child_process$" },
    },
    {
      name: "middle-imports-downward",
      severity: "error",
      from: { path: "^provider/(container|health|proxy|switch)/" },
      to: { path: [resources, "^provider/pulumi/", "^provider/index"] },
    },
    {
      name: "resources-import-downward",
      severity: "error",
      from: { path: resources },
      to: { path: ["^provider/pulumi/", "^provider/index"] },
    },
    {
      name: "resources-know-others-by-type-only",
      severity: "error",
      from: { path: "^provider/([^/]+)/", pathNot: "^provider/(pulumi|host|container|health|proxy|switch)/" },
      to: { path: resources, pathNot: "^provider/$1/", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "docker-host-is-above-its-rooms",
      severity: "error",
      from: { path: "^provider/docker-host/[^/]+/" },
      to: { path: "^provider/docker-host/[^/]+\\.ts$" },
    },
    ...rooms.slice(0, -1).map((room, at) => ({
      name: `docker-host-${room}-uses-rooms-before-it`,
      severity: "error",
      from: { path: `^provider/docker-host/${room}/` },
      to: { path: `^provider/docker-host/(${rooms.slice(at + 1).join("|")})/` },
    })),
    {
      name: "pulumi-is-on-top",
      severity: "error",
      from: { path: "^provider/pulumi/" },
      to: { path: "^provider/index" },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "node_modules" },
  },
};
