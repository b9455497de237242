import { endpointText } from '../base/index.ts';
import type { Sparing } from '../events/index.ts';
import { nullId } from '../message/index.ts';
import { clientAddress, peerText, receivingView } from '../reception/index.ts';
import { formatReply, reply } from '../smtp/index.ts';
import type { Pipe, PipeHost } from '../world/index.ts';
import type { ListenerParts } from './parts.ts';
import type { SessionCaps } from './session-caps.ts';
import type { Wanted } from './wanted.ts';

const LIMIT_REACHED = reply(421, '4.4.5', 'Service unavailable, concurrency limit reached.');

/**
 * What happens to each connection of a socket: it is counted, and handed to whoever speaks its protocol with the
 * configuration of now; or turned away.
 *
 * @param sparing  for what a client can cause
 * @param socket  what the socket is wanted for at present
 */
export function doorman(
  parts: ListenerParts,
  caps: SessionCaps,
  sparing: Sparing,
  socket: () => Wanted,
): (pipe: Pipe) => PipeHost {
  const { configuration, clock, events } = parts;

  /** Says why, if the protocol has words for it, and closes. A pipe must have its host before it may be closed. */
  function turnAway(pipe: Pipe, words: Uint8Array | undefined): PipeHost {
    clock.defer(() => {
      if (words !== undefined) pipe.write([words]);
      pipe.end();
    });
    return NOBODY;
  }

  return (pipe) => {
    const { key, listener, endpoint } = socket();
    const generation = configuration.current;
    const handler = parts.handlers[listener];
    if (handler === undefined) return turnAway(pipe, undefined);
    const { view, name } = receivingView(generation, listener, endpoint, clientAddress(pipe.remote));
    const outer = generation
      .listens()
      .find((listen) => listen.listener === listener && endpointText(listen.endpoint) === key);
    const slot = caps.take(view, outer?.view ?? view);
    if (slot === undefined) {
      if (listener !== 'esmtp_listener') return turnAway(pipe, undefined);
      events.record({
        kind: 'rejection',
        at: clock.date(),
        generation: generation.number,
        remote: peerText(pipe.remote),
        local: peerText(pipe.local),
        connectionId: nullId,
        pathway: name ?? 'default',
        pathwayGroup: '',
        phase: 'concurrency limit',
        reply: LIMIT_REACHED,
        module: 'core',
        connectionContext: {},
        messageContext: {},
      });
      return turnAway(pipe, formatReply(LIMIT_REACHED, true));
    }
    try {
      return handler(pipe, { endpoint, generation, ended: () => slot[Symbol.dispose]() });
    } catch (error) {
      // A bug of ours costs this connection; the socket goes on.
      slot[Symbol.dispose]();
      sparing.tell(
        `${key} failed`,
        'CRITICAL',
        'listener',
        `a connection to ${key} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      );
      return turnAway(pipe, undefined);
    }
  };
}

/** For a client that was turned away. */
const NOBODY: PipeHost = { data: () => undefined, drained: () => undefined, closed: () => undefined };
