/** From the text of configuration files to immutable generations of checked values. */
export * from './option.ts';
export * from './generation.ts';
export * from './errors.ts';
export * from './declare.ts';
export * from './value-types.ts';
export * from './value-lists.ts';
export * from './duration.ts';
