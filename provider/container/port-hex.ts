/** A port as the kernel's socket tables write it. */
export function portHex(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, "0");
}
