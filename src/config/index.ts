export * from './option.ts';
export * from './generation.ts';
