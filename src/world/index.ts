/** The doors outside, as interfaces: clock, chance, network, disk, names, process. */
export * from './world.ts';
export * from './process.ts';
export * from './resolver/index.ts';
