export * from './phases.ts';
