/** Lines of ours between what scripts on the host show. */
export const MARK = "@slipway ";

/** Shell: `ask` passes commands to the master's socket. A process that is ending may never answer: no wait is without a limit. */
export const ASK = `
ask() { timeout 5 docker --host "unix://$folder/\${run:-run}/master.sock" system dial-stdio 2>/dev/null; }
`;
