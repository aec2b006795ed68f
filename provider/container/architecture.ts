// the kernel's names for what images call otherwise
const OF_KERNEL: Readonly<Record<string, string>> = {
  x86_64: "amd64",
  aarch64: "arm64",
  armv7l: "arm",
  armv6l: "arm",
  i686: "386",
};

/** What images call an architecture that the kernel names so (`x86_64`); undefined where nobody knows. */
export function imageArchitecture(kernel: string): string | undefined {
  return OF_KERNEL[kernel];
}
