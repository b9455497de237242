/** The operator's console: the server side of its protocol, every command, and the client ec_console. */

export { consoleWarnings } from './admission.ts';
export { answer as answerCommand } from './answer.ts';
export type { Caller } from './authorization.ts';
export type { ClientParts } from './client/client.ts';
export { consoleClient } from './client/client.ts';
export { nodeTerminal } from './client/node-terminal.ts';
export type { Terminal } from './client/terminal.ts';
export type { Command as ConsoleCommand, Result as CommandResult } from './command.ts';
export { commands as consoleCommands } from './commands/list.ts';

export { type FrameKind, FrameReader, frame, frameKinds, textFrame } from './frames.ts';
export * from './house.ts';
export { Largest, queueRow } from './largest-queues.ts';
export { consoleOptions, consoleStanzas, timeout as consoleTimeout } from './options.ts';
export type { ConsoleOrigin } from './origin.ts';
export type { ConsoleCounts, ConsoleServer } from './server.ts';
export { consoleServer } from './server.ts';
export { type QueueSizes, type SummarySource, summaryFigures } from './summary-figures.ts';
export { SystemUsers } from './system-user.ts';
export { sumQueues } from './tally.ts';
