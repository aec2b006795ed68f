import type { RegistryLogin } from "../container/registry-login";
import type { EnvironmentValue } from "./environment-value";
import { authAddress } from "./registry-auth";

/**
 * What the docker command asks for a login, by a folder of the run's own that stands in for the user's `~/.docker`. The
 * logins are in the command's environment; the folder names registries only, and the program in it knows none of them.
 */
const HELPER = `#!/bin/sh
[ "$1" = get ] || exit 1
IFS= read -r wanted
printf '%s\\n' "$SLIPWAY_LOGINS" | while IFS= read -r address && IFS= read -r login; do
  [ "$address" != "$wanted" ] || printf '%s\\n' "$login"
done
`;

/**
 * `$1` a place for the folder, `$2` its config.json, `$3` the program that is asked; then the command. BuildKit goes on
 * knowing the folders it saw: what buildx remembers stays where it is.
 */
const WITH_LOGINS = `umask 077
own=\${DOCKER_CONFIG:-\${HOME-}/.docker} login=$(mktemp -d "$1/incoming.XXXXXXXXXX") || exit 1
trap 'rm -rf -- "$login"' EXIT; trap 'exit 129' HUP INT PIPE TERM
printf '%s' "$2" >"$login/config.json" && printf '%s' "$3" >"$login/docker-credential-slipway" || exit 1
chmod 700 "$login/docker-credential-slipway" || exit 1
shift 3
[ ! -d "$own/cli-plugins" ] || ln -s "$own/cli-plugins" "$login/cli-plugins"
BUILDX_CONFIG=\${BUILDX_CONFIG:-$own/buildx} DOCKER_CONFIG=$login PATH=$login:$PATH
export BUILDX_CONFIG DOCKER_CONFIG PATH
"$@"`;

/** The command, with these logins at hand where there are any; `place` is a folder of the account's own. */
export function withLogins(
  logins: readonly RegistryLogin[],
  place: string,
  command: readonly string[],
): readonly string[] {
  if (logins.length === 0) return command;
  const credHelpers = Object.fromEntries(logins.map((login) => [authAddress(login), "slipway"]));
  return ["/bin/sh", "-c", WITH_LOGINS, "login", place, JSON.stringify({ credHelpers }), HELPER, ...command];
}

/** What the command's environment has to hold for {@link withLogins}. */
export function loginValues(logins: readonly RegistryLogin[]): readonly EnvironmentValue[] {
  if (logins.length === 0) return [];
  const lines = logins.map((login) => {
    const address = authAddress(login);
    const { username, password } = login;
    return `${address}\n${JSON.stringify({ ServerURL: address, Username: username, Secret: password })}`;
  });
  return [{ variable: "SLIPWAY_LOGINS", value: lines.join("\n") }];
}
