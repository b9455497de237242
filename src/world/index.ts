export * from './world.ts';
export * from './process.ts';
