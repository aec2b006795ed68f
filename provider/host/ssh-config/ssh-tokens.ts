import { ConfigMistake } from "./ssh-config-file";

/** What `%…` stands for in a value, by letter. */
export type Tokens = Readonly<Record<string, string>>;

/** `%h` and `%%` of a HostName. */
export function hostNameOf(text: string, host: string): string {
  return expandTokens("HostName", text, { h: host });
}

/**
 * Puts in what `%…` stands for.
 * @throws ConfigMistake for a letter that this option does not know
 */
export function expandTokens(option: string, text: string, tokens: Tokens): string {
  return text.replace(/%(.?)/gs, (whole, letter: string) => {
    if (letter === "%") return "%";
    const value = Object.hasOwn(tokens, letter) ? tokens[letter] : undefined;
    if (value === undefined) throw new ConfigMistake(`${option} ${text}: ${whole} cannot be expanded here`);
    return value;
  });
}

/**
 * Puts in what `${NAME}` stands for.
 * @throws ConfigMistake for a variable that is not set
 */
export function expandVariables(option: string, text: string, environment: NodeJS.ProcessEnv): string {
  return text.replace(/\$\{([^}]*)\}/g, (whole, name: string) => {
    const value = environment[name];
    if (value === undefined) throw new ConfigMistake(`${option} ${text}: ${whole} is not set`);
    return value;
  });
}
