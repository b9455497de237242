/** The doors outside, as interfaces: clock, chance, network, disk, names, process. */

export * from './process.ts';
export * from './resolver/index.ts';
export * from './tls.ts';
export * from './world.ts';
