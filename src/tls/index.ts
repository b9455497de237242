/** From options to TLS: which certificates, what is demanded of a peer, and contexts that follow their files. */

export { checkTls, type Offer } from './check.ts';
export * from './context-variables.ts';
export * from './demands.ts';
export { HandshakeFailures, type InboundTls } from './failures.ts';
export {
  starttlsInjectionPolicy,
  tlsCertificate,
  tlsOptions,
  tlsVerifiedPeerCanRelay,
  useSsl,
} from './options.ts';
export { LOOK_MILLIS, type ShelvedContext, type TlsParts, TlsShelf } from './shelf.ts';
