/** The operator's console: the server side of its protocol, every command, and the client ec_console. */
export { consoleServer, controlEndpointTrouble } from './server.ts';
export type { ConsoleOrigin, ConsoleServer } from './server.ts';
export * from './house.ts';
export { timeout as consoleTimeout } from './options.ts';
export { commands as consoleCommands } from './commands/list.ts';
export { consoleClient } from './client/client.ts';
export type { ClientParts } from './client/client.ts';
export type { Terminal } from './client/terminal.ts';
export { nodeTerminal } from './client/node-terminal.ts';
