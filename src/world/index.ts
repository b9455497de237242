/** The doors outside, as interfaces: clock, chance, network, disk, web, names, process. */

export * from './process.ts';
export * from './resolver/index.ts';
export * from './store.ts';
export * from './world.ts';
