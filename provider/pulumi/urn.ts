/** The parts of a URN (`urn:pulumi:STACK::PROJECT::TYPE::NAME`) that we use. */
export interface UrnParts {
  readonly stack: string;
  readonly project: string;
  /** The resource's name in the program; may hold `::`. */
  readonly name: string;
}

/** Undefined when the text is no URN. */
export function parseUrn(urn: string): UrnParts | undefined {
  const match = /^urn:pulumi:([^:]+)::([^:]+)::.+?::(.+)$/.exec(urn);
  const [, stack, project, name] = match ?? [];
  if (stack === undefined || project === undefined || name === undefined) return undefined;
  return { stack, project, name };
}
