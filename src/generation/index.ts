/** Transmissions: orders that come by HTTP become messages in the queue; stored templates; who is not to be written to. */

export { type Accepted, accept, instantOf } from './accept.ts';
export { type Acceptance, Acceptances, type Ticket } from './acceptances.ts';
export { ApiStore, apiStoreFile, apiStoreNotes, type StoreDoor, servesHttp } from './api-store.ts';
export { asTrouble, type Compiled, compileContent } from './content.ts';
export { dataOf } from './maker.ts';
export { generationOptions, generationStanzas, scheduledIntervalDelete } from './options.ts';
export type { Content, Options, Order, Recipient, Request } from './order.ts';
export type { TransmissionsParts } from './parts.ts';
export { type ListEntry, type ListOutcome, NobodyLeft, RecipientLists } from './recipient-lists.ts';
export { pathOf, readRecipient } from './recipients.ts';
export type { Progress } from './register.ts';
export { sandboxNotes } from './sandbox.ts';
export { StoredTemplates, type TemplateEdit, type TemplateEntry, type Which } from './stored-templates.ts';
export * from './suppressions.ts';
export { Transmissions } from './transmissions.ts';
export { Trouble, type TroubleCode } from './trouble.ts';
