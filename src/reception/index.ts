/** A conversation becomes a message: SMTP sessions, and mail that comes by other doors. */

export { forcedAuthentication } from './authentication.ts';
export { clientAddress, receivingView } from './client-view.ts';
export type { ReceptionParts } from './desk.ts';
export { InjectionRefused, type InPlaceOf } from './inject.ts';
export { type OpenReception, reception, type SessionView } from './open-reception.ts';
export { receptionOptions } from './options.ts';
export * from './reception.ts';
export { peerText } from './rejection.ts';
export { supportedExtensions } from './value-types.ts';
