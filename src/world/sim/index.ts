/** A world in memory that a seed decides: for tests and simulations only. */
export { afterPowerCut, simChance, simWorld, type SimWorld } from './world.ts';
export { SimClock } from './clock.ts';
export { SimChance } from './chance.ts';
export { SimNetwork } from './network.ts';
export type { SimPipe } from './pipe.ts';
export type { WireSettings } from './wire.ts';
export { SimDisk, type DiskFault, type DiskOperation, type SimDiskSettings } from './disk.ts';
export { simNames, type SimNames, type SimZone } from './names.ts';
export { SimExit, simProcess, type SimProcess, type SimProcessSettings } from './process.ts';
export { SimDnsServer, type SimDnsQuery, type SimDnsTwist } from './dns-server.ts';
