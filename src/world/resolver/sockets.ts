import { family } from '../../base/index.ts';
import type { Chance, Datagrams, Network } from '../world.ts';
import type { DnsServer } from './resolv-conf.ts';

/** Who waits for datagrams of one query. */
export interface QueryHost {
  received(bytes: Uint8Array): void;
  /** The query could not be sent. */
  unreachable(): void;
}

/** A query under way. */
export interface Query {
  /** 16 random bits, unique on its socket. */
  readonly id: number;
  send(bytes: Uint8Array): void;
  close(): void;
}

/** Sockets in use at a time for each family, so many queries each before it is replaced by one with another port. */
const POOL = 8;
const QUERIES_PER_SOCKET = 500;

/**
 * UDP sockets with ports of the system's choice. A forger has to guess the port among a few, besides the id and the
 * case of the letters; and the few change.
 */
export class QuerySockets {
  readonly #network: Network;
  readonly #chance: Chance;
  readonly #stranger: () => void;
  readonly #pools = { 4: new Array<QuerySocket | undefined>(POOL), 6: new Array<QuerySocket | undefined>(POOL) };

  /** @param stranger hears of each datagram that answers no query of ours, or comes from elsewhere */
  constructor(network: Network, chance: Chance, stranger: () => void) {
    this.#network = network;
    this.#chance = chance;
    this.#stranger = stranger;
  }

  open(server: DnsServer, host: QueryHost): Query {
    const version = family(server.ip);
    const pool = this.#pools[version];
    const place = this.#chance.below(POOL);
    let socket = pool[place];
    if (!socket || socket.worn) {
      socket?.retire();
      socket = new QuerySocket(this.#network, version, this.#stranger);
      pool[place] = socket;
    }
    return socket.open(server, host, this.#chance);
  }

  close(): void {
    for (const pool of [this.#pools[4], this.#pools[6]]) {
      for (const socket of pool) socket?.retire();
      pool.fill(undefined);
    }
  }
}

class QuerySocket {
  readonly #datagrams: Datagrams;
  readonly #waiting = new Map<number, { readonly server: DnsServer; readonly host: QueryHost }>();
  #queries = 0;
  #retired = false;

  constructor(network: Network, version: 4 | 6, stranger: () => void) {
    this.#datagrams = network.datagrams(version, {
      received: (bytes, from) => {
        const waiting = bytes.length < 2 ? undefined : this.#waiting.get(((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0));
        if (waiting && from.ip === waiting.server.ip && from.port === waiting.server.port) waiting.host.received(bytes);
        else stranger();
      },
      failed: (_why, to) => {
        // The system does not say which one it could not send. Others to the same server fare no better; those to
        // another one may be on their way.
        for (const { server, host } of [...this.#waiting.values()])
          if (to === undefined || (server.ip === to.ip && server.port === to.port)) host.unreachable();
      },
    });
  }

  get worn(): boolean {
    return this.#queries >= QUERIES_PER_SOCKET;
  }

  open(server: DnsServer, host: QueryHost, chance: Chance): Query {
    this.#queries++;
    // At most QUERIES_PER_SOCKET of 65,536 are taken.
    let id = chance.below(65_536);
    while (this.#waiting.has(id)) id = chance.below(65_536);
    this.#waiting.set(id, { server, host });
    return {
      id,
      send: (bytes) => this.#datagrams.send(bytes, server),
      close: () => {
        this.#waiting.delete(id);
        this.#closeWhenDone();
      },
    };
  }

  /** Takes no new queries; closes when the last one has its answer. */
  retire(): void {
    this.#retired = true;
    this.#closeWhenDone();
  }

  #closeWhenDone(): void {
    if (this.#retired && this.#waiting.size === 0) this.#datagrams.close();
  }
}
