/** Small things without mail in them: units, addresses, names, and the containers that hot paths need. */

export * from './address.ts';
export * from './cidr.ts';
export * from './civil-time.ts';
export * from './domain.ts';
export * from './endpoint.ts';
export * from './heap.ts';
export * from './lru.ts';
export * from './nearest.ts';
export * from './ring.ts';
export * from './segments.ts';
export * from './timer-heap.ts';
export * from './units.ts';
export * from './utf8-text.ts';
