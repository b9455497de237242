/** The doors outside, as interfaces: clock, chance, network, disk, web, names, process. */

export * from './certificate-names.ts';
export * from './key-values.ts';
export * from './process.ts';
export * from './resolver/index.ts';
export * from './slices.ts';
export * from './stores.ts';
export * from './tls.ts';
export * from './world.ts';
