/** A conversation becomes a message: SMTP sessions, and mail that comes by other doors. */
export * from './reception.ts';
export { reception, type OpenReception, type SessionView } from './open-reception.ts';
export { clientAddress, receivingView } from './client-view.ts';
export { peerText } from './rejection.ts';
export type { ReceptionParts } from './desk.ts';
export { InjectionRefused } from './inject.ts';
export { receptionOptions } from './options.ts';
export { supportedExtensions } from './value-types.ts';
