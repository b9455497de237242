/** The real world: Node's clock, sockets, files and process. Named by main and tests only. */
export { nodeWorld } from './world.ts';
export { nodeProcess } from './process.ts';
