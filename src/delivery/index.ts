/** From a queue to a peer: routes, hosts, connections, and SMTP or LMTP over them. */

export * from './courier.ts';
export * from './host-state.ts';
export * from './options.ts';
export * from './route.ts';
export * from './routes.ts';
