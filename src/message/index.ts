export * from './message.ts';
export * from './body-hold.ts';
