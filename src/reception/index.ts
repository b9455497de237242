/** A conversation becomes a message: SMTP sessions, and mail that comes by other doors. */

export { clientAddress, receivingView } from './client-view.ts';
export type { ReceptionParts, SendingKeys } from './desk.ts';
export { InjectionRefused, type InPlaceOf } from './inject.ts';
export { type OpenReception, reception, type SessionView } from './open-reception.ts';
export { receptionOptions, smtpExtensions } from './options.ts';
export * from './reception.ts';
export { peerText } from './rejection.ts';
export { offersStartTls } from './settings.ts';
export { DEDUP_VARIABLE, Dedup } from './stream/dedup.ts';
export type { DedupJournalParts } from './stream/dedup-journal.ts';
export { supportedExtensions } from './value-types.ts';
