/** A conversation becomes a message: SMTP sessions, and mail that comes by other doors. */

export { clientAddress, receivingView } from './client-view.ts';
export { DEDUP_VARIABLE, Dedup } from './dedup.ts';
export type { DedupJournalParts } from './dedup-journal.ts';
export type { ReceptionParts, SendingKeys } from './desk.ts';
export { InjectionRefused, type InPlaceOf } from './inject.ts';
export { type OpenReception, reception, type SessionView } from './open-reception.ts';
export { receptionOptions, smtpExtensions } from './options.ts';
export * from './reception.ts';
export { peerText } from './rejection.ts';
export { offersStartTls } from './settings.ts';
export { supportedExtensions } from './value-types.ts';
