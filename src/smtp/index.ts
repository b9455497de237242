export * from './machine.ts';
export * from './reply.ts';
