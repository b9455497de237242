/** The SMTP language without sockets: paths, replies, framing, and the machines of both sides. */

export * from './asks.ts';
export * from './body-reader.ts';
export * from './client.ts';
export { authFailed, type ClientAuth, clientAuthReplies } from './client-auth.ts';
export * from './client-body.ts';
export * from './client-events.ts';
export { stages, tlsReplies } from './client-stages.ts';
export * from './dsn-parameters.ts';
export * from './machine.ts';
export type { Offers, Parameter, Parameters } from './parameters.ts';
export * from './path.ts';
export * from './reply.ts';
export * from './reply-reader.ts';
export * from './server.ts';
export * from './server-events.ts';
export { serverReplies } from './server-table.ts';
export * from './xtext.ts';
