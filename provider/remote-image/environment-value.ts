/** One variable of a command's environment whose value is in no command line. */
export interface EnvironmentValue {
  readonly variable: string;
  readonly value: string;
}
