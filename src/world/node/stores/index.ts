/** Databases and directories of the real world: one file for each kind, and its package loaded when it is first wanted. */

export { nodeStores } from './stores.ts';
