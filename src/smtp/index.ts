/** The SMTP language without sockets: paths, replies, framing, and the machines of both sides. */
export * from './machine.ts';
export * from './reply.ts';
export * from './reply-reader.ts';
