/** The real world: Node's clock, sockets, files and process. Named by main and tests only. */

export { machineName, nodeProcess } from './process.ts';
export { nodeWorld } from './world.ts';
