/** The system's names for what no peer can be blamed for: files, ports, memory, a source address that is not ours. */
export const LOCAL_TROUBLES: ReadonlySet<string> = new Set([
  'EMFILE',
  'ENFILE',
  'ENOBUFS',
  'ENOMEM',
  'EADDRNOTAVAIL',
  'EADDRINUSE',
]);
