import { byeFrame } from '../ecstream/index.ts';
import { nullId } from '../message/index.ts';
import { clientAddress, peerText, receivingView } from '../reception/index.ts';
import { formatReply, reply } from '../smtp/index.ts';
import type { Pipe, PipeHost } from '../world/index.ts';
import type { ListenerParts } from './parts.ts';
import type { SessionCaps } from './session-caps.ts';
import type { TroubleLog } from './trouble-log.ts';
import { WaitingHost } from './waiting-host.ts';
import type { ListenSocket } from './wanted.ts';

const LIMIT_REACHED = reply(421, '4.4.5', 'Service unavailable, concurrency limit reached.');

/**
 * What happens to each connection of a socket: it is counted, and handed to whoever speaks its protocol with the
 * configuration of now; or turned away.
 */
export class Doorman {
  /** What the socket is open for at present. */
  socket: ListenSocket;
  readonly #parts: ListenerParts;
  readonly #caps: SessionCaps;
  readonly #troubles: TroubleLog;
  readonly #queue: { readonly pipe: Pipe; readonly host: WaitingHost }[] = [];
  #held = true;
  #asked = false;

  /** Clients wait until `serve` is called: the generation that wants the socket is not current yet. */
  constructor(parts: ListenerParts, caps: SessionCaps, troubles: TroubleLog, socket: ListenSocket) {
    this.#parts = parts;
    this.#caps = caps;
    this.#troubles = troubles;
    this.socket = socket;
  }

  /** The generation that wants the socket is current. */
  serve(socket: ListenSocket): void {
    this.socket = socket;
    this.#held = false;
    this.#serveQueue();
  }

  /** The socket closes. Who was accepted is served all the same, unless the socket's generation never became current. */
  retire(): void {
    if (!this.#held) return this.#serveQueue();
    for (const { pipe } of this.#queue.splice(0)) pipe.destroy();
  }

  accept(pipe: Pipe): PipeHost {
    const { acceptQueue, backlog, key } = this.socket;
    if (!this.#held && acceptQueue === 0) return this.#receive(pipe);
    const most = acceptQueue === 0 ? backlog : acceptQueue;
    if (this.#queue.length >= most) {
      this.#troubles.tell(`queue ${key}`, `${key}: ${most} accepted connections wait already, and more are closed`);
      return this.#turnAway(pipe, undefined);
    }
    const host = new WaitingHost(pipe);
    this.#queue.push({ pipe, host });
    if (!this.#held && !this.#asked) {
      this.#asked = true;
      this.#parts.clock.defer(() => this.#serveQueue());
    }
    return host;
  }

  #serveQueue(): void {
    this.#asked = false;
    for (const { pipe, host } of this.#queue.splice(0)) if (!host.gone) host.hand(this.#receive(pipe));
  }

  #receive(pipe: Pipe): PipeHost {
    const { configuration, events, handlers } = this.#parts;
    const { key, listener, endpoint } = this.socket;
    const generation = configuration.current;
    const handler = handlers[listener];
    if (handler === undefined) return this.#turnAway(pipe, undefined);
    const slot = this.#caps.take(generation, { listener, endpoint, ip: clientAddress(pipe.remote) });
    if (slot === undefined) return this.#overCap(pipe);
    try {
      return handler(pipe, {
        endpoint,
        generation,
        ended: () => slot[Symbol.dispose](),
        moved: (ip) => slot.move(configuration.current, ip),
        withinCaps: () => slot.within(configuration.current),
      });
    } catch (error) {
      // A bug of ours costs this connection; the socket goes on.
      slot[Symbol.dispose]();
      events.diagnose(
        'CRITICAL',
        'listener',
        `a connection to ${key} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      );
      return this.#turnAway(pipe, undefined);
    }
  }

  #overCap(pipe: Pipe): PipeHost {
    const { configuration, clock, events } = this.#parts;
    const { listener, endpoint } = this.socket;
    if (listener !== 'esmtp_listener' && listener !== 'ecstream_listener') return this.#turnAway(pipe, undefined);
    const { name } = receivingView(configuration.current, listener, endpoint, clientAddress(pipe.remote));
    events.record({
      kind: 'rejection',
      at: clock.date(),
      generation: configuration.current.number,
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
    const said = `${LIMIT_REACHED.enhanced} ${LIMIT_REACHED.text}`;
    const words =
      listener === 'esmtp_listener' ? formatReply(LIMIT_REACHED, true) : byeFrame(0, LIMIT_REACHED.code, said);
    return this.#turnAway(pipe, words);
  }

  /** Says why, if the protocol has words for it, and closes. A pipe must have its host before it may be closed. */
  #turnAway(pipe: Pipe, words: Uint8Array | undefined): PipeHost {
    this.#parts.clock.defer(() => {
      if (words !== undefined) pipe.write([words]);
      pipe.end();
    });
    return NOBODY;
  }
}

/** For a client that was turned away. */
const NOBODY: PipeHost = { data: () => undefined, drained: () => undefined, closed: () => undefined };
