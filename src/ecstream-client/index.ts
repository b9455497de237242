/** The client library `impetus/ecstream`: mail into a server by ECStream, from a program of your own. */
export type { Accepted, EcstreamSender, Outgoing, SenderTls } from '../ecstream/index.ts';
export { EcstreamLost, EcstreamRefused } from '../ecstream/index.ts';
export { type EcstreamOptions, ecstream } from './ecstream.ts';
