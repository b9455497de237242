/** A world in memory that a seed decides: for tests and simulations only. */

export { SimChance } from './chance.ts';
export { SimClock } from './clock.ts';
export { type DiskFault, type DiskOperation, SimDisk, type SimDiskSettings } from './disk.ts';
export { type SimDnsQuery, SimDnsServer, type SimDnsTwist, withCode } from './dns-server.ts';
export { SimKeyValues } from './key-values.ts';
export type { Life } from './life.ts';
export { type ConnectionWatch, SimMachine, type SimMachineParts } from './machine.ts';
export type { DiskWatch } from './machine-disk.ts';
export { type SimNames, type SimZone, simNames } from './names.ts';
export { SimNetwork } from './network.ts';
export { SimPipe } from './pipe.ts';
export { SimExit, type SimProcess, type SimProcessSettings, simProcess } from './process.ts';
export { type SimAnswer, SimStore, SimStores } from './stores.ts';
export { type SimCertificate, SimTls, simIdentity } from './tls.ts';
export { type SimReply, SimWeb } from './web.ts';
export type { WireSettings } from './wire.ts';
export { afterPowerCut, type SimWorld, simChance, simWorld } from './world.ts';
