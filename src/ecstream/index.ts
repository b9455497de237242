/** ECStream, our fast injection protocol (EXS 1), without sockets: frames, and the machines of both sides. */
export { EcstreamClient, type EcstreamClientEvent, type EcstreamClientSettings } from './client.ts';
export {
  type AddressEncoding,
  type ContextValues,
  envelopeFlags,
  NO_VALUES,
  type WireEnvelope,
  type WireRecipient,
} from './envelope.ts';
export { type Frame, FrameReader, type TooLong } from './frame-reader.ts';
export * from './frames.ts';
export { ecstreamTargets, type FuzzTarget } from './fuzz-target.ts';
export { mayBeHeard, type SenderTls } from './security.ts';
export * from './sender.ts';
export * from './server.ts';
export * from './server-events.ts';
