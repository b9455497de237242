import type { View } from '../config/index.ts';
import { byeFrame } from '../ecstream/index.ts';
import type { Sparing } from '../events/index.ts';
import { nullId } from '../message/index.ts';
import { clientAddress, peerText, receivingView } from '../reception/index.ts';
import { formatReply, reply } from '../smtp/index.ts';
import { useSsl } from '../tls/index.ts';
import type { Pipe, PipeHost, TlsFacts } from '../world/index.ts';
import { Antechamber } from './antechamber.ts';
import { proxyProtocol, proxyProtocolFrom, proxyProtocolTimeout } from './options.ts';
import type { ListenerParts } from './parts.ts';
import { ProxyDoor } from './proxy-door.ts';
import type { SessionCaps, Slot } from './session-caps.ts';
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
  readonly #sparing: Sparing;
  readonly #waiting: Set<ProxyDoor>;
  readonly #queue: { readonly pipe: Pipe; readonly host: WaitingHost }[] = [];
  #held = true;
  #asked = false;

  /**
   * Clients wait until `serve` is called: the generation that wants the socket is not current yet.
   *
   * @param waiting  connections that wait for a PROXY header, of all sockets
   */
  constructor(
    parts: ListenerParts,
    caps: SessionCaps,
    sparing: Sparing,
    waiting: Set<ProxyDoor>,
    socket: ListenSocket,
  ) {
    this.#parts = parts;
    this.#caps = caps;
    this.#sparing = sparing;
    this.#waiting = waiting;
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
      this.#sparing.tell(
        `queue ${key}`,
        'ERROR',
        'listener',
        `${key}: ${most} accepted connections wait already, and more are closed`,
      );
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
    const { configuration } = this.#parts;
    const generation = configuration.current;
    const { listener, endpoint } = this.socket;
    if (this.#parts.handlers[listener] === undefined) return this.#turnAway(pipe, undefined);
    const place = { listener, endpoint, ip: clientAddress(pipe.remote) };
    const { view } = receivingView(generation, listener, endpoint, place.ip);
    if (view.get(proxyProtocol)) return this.#receiveProxied(pipe, view, this.#caps.hold(generation, place));
    const slot = this.#caps.take(generation, place);
    return slot === undefined ? this.#overCap(pipe) : this.#enter(pipe, slot);
  }

  /** Whose session it is shows in the header: only then is it known which values hold for it, and whether it has room. */
  #receiveProxied(pipe: Pipe, view: View, slot: Slot): PipeHost {
    const { clock, configuration } = this.#parts;
    const { key } = this.socket;
    const close = (why: string): void => {
      this.#sparing.tell(
        `proxy ${key}`,
        'ERROR',
        'listener',
        `${key}: a connection of ${peerText(pipe.remote)} was closed: ${why}`,
      );
    };
    if ((view.get(proxyProtocolFrom)?.matches(clientAddress(pipe.remote)).length ?? 1) === 0) {
      slot[Symbol.dispose]();
      close('it is not in Proxy_Protocol_From');
      return this.#turnAway(pipe, undefined);
    }
    return new ProxyDoor({
      pipe,
      clock,
      seconds: view.get(proxyProtocolTimeout),
      failed: close,
      waiting: this.#waiting,
      ended: () => slot[Symbol.dispose](),
      begin: (proxied) => {
        slot.move(configuration.current, clientAddress(proxied.remote));
        if (slot.within(configuration.current)) return this.#enter(proxied, slot);
        slot[Symbol.dispose]();
        return this.#overCap(proxied);
      },
    });
  }

  /** The client is known, and counted. */
  #enter(pipe: Pipe, slot: Slot): PipeHost {
    const { clock, configuration, tls } = this.#parts;
    const { key, listener, endpoint } = this.socket;
    const ip = clientAddress(pipe.remote);
    const { view } = receivingView(configuration.current, listener, endpoint, ip);
    if (!view.get(useSsl)) return this.#begin(pipe, slot, undefined);
    const context = tls?.server(view);
    const ended = (): void => slot[Symbol.dispose]();
    if (tls !== undefined && context !== undefined) {
      const begin = (facts: TlsFacts): PipeHost => this.#begin(pipe, slot, facts);
      return new Antechamber({ pipe, clock, tls, begin, ended }, context);
    }
    ended();
    // Counted, and not a line for each: clients come again and again.
    tls?.failed(peerText(pipe.remote), `there is no usable certificate for ${key}`);
    return this.#turnAway(pipe, undefined);
  }

  #begin(pipe: Pipe, slot: Slot, facts: TlsFacts | undefined): PipeHost {
    const { configuration, handlers } = this.#parts;
    const { key, listener, endpoint } = this.socket;
    const handler = handlers[listener];
    try {
      if (handler === undefined) throw new Error(`nobody serves a ${listener}`);
      return handler(pipe, {
        endpoint,
        generation: configuration.current,
        ended: () => slot[Symbol.dispose](),
        moved: (ip) => slot.move(configuration.current, ip),
        withinCaps: () => slot.within(configuration.current),
        ...(facts === undefined ? {} : { tls: facts }),
      });
    } catch (error) {
      // A bug of ours costs this connection; the socket goes on.
      slot[Symbol.dispose]();
      this.#sparing.tell(
        `bug ${key}`,
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
