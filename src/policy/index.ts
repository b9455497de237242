/** The validation phases of a reception, and the registry of the hooks that decide in them. */
export * from './phases.ts';
export * from './registry.ts';
