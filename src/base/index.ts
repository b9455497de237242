export * from './units.ts';
export * from './segments.ts';
export * from './endpoint.ts';
