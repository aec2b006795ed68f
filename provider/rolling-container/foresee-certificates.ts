import { acmeNames } from "../proxy/certificates";
import type { Route } from "../proxy/route";

/** What preview says of the certificates that another route needs: which are got, and from where. Empty text where none are. */
export function foreseeCertificates(route: Route | undefined, before: Route | undefined): string {
  const directory = directoryOf(route);
  if (route === undefined || directory === undefined) return "";
  const had = before !== undefined && directoryOf(before) === directory ? acmeNames([before]) : [];
  const names = acmeNames([route]).filter((name) => !had.includes(name));
  if (names.length === 0) return "";
  const several =
    route.proxies.length > 1
      ? ". Each host's proxy gets its own, and the ACME server asks one of them alone: a name that leads to several hosts needs `certificates`"
      : "";
  return `certificates: for ${names.join(", ")} from ${directory} (ACME); port 80 of each has to lead to its proxy, and until there is one a self-signed one is shown${several}`;
}

function directoryOf(route: Route | undefined): string | undefined {
  return route?.proxies.find(({ acme }) => acme !== undefined)?.acme;
}
