import { type Millis, millis } from '../../base/index.ts';
import type { Chance, Clock, DnsAnswer, Network, RecordType } from '../world.ts';
import { decodeReply, encodeQuery, type Reply } from './codec.ts';
import { mixedCase } from './dns-name.ts';
import type { DnsServer } from './resolv-conf.ts';
import { QuerySockets } from './sockets.ts';
import type { Tally } from './statistics.ts';

export type Failure = Extract<DnsAnswer, { readonly kind: 'failed' }>['why'];

export interface ExchangeSettings {
  readonly servers: readonly DnsServer[];
  /** For one answer of one server. */
  readonly timeoutMillis: number;
  /** Rounds over all servers. */
  readonly attempts: number;
  /** Ask again by TCP when an answer was too long for UDP. Without it, what fitted is taken. */
  readonly tcpFallback: boolean;
}

/** What we have learned about a server. */
interface Acquaintance {
  readonly server: DnsServer;
  /** It does not repeat the case of our letters. */
  foldsUntil: Millis;
  /** It refuses queries with EDNS. */
  plainUntil: Millis;
  /** It did not answer: the others are asked first. */
  shunnedUntil: Millis;
}

const SHUN = 10_000;
/** What we believe of a server's shortcomings we try again some time: it may be another program by then. */
const BELIEVE = 600_000;

/** Puts questions to servers, one after the other, until one gives an answer. */
export class Exchange {
  readonly #clock: Clock;
  readonly #chance: Chance;
  readonly #network: Network;
  readonly #settings: ExchangeSettings;
  readonly #tally: Tally;
  readonly #servers: readonly Acquaintance[];
  readonly #sockets: QuerySockets;
  /** Ends what is under way. */
  readonly #cancels = new Set<() => void>();
  #closed = false;

  constructor(world: { clock: Clock; chance: Chance; network: Network }, settings: ExchangeSettings, tally: Tally) {
    this.#clock = world.clock;
    this.#chance = world.chance;
    this.#network = world.network;
    this.#settings = settings;
    this.#tally = tally;
    this.#servers = settings.servers.map((server) => ({
      server,
      foldsUntil: NEVER,
      plainUntil: NEVER,
      shunnedUntil: NEVER,
    }));
    this.#sockets = new QuerySockets(world.network, world.chance, () => {
      tally.bad++;
    });
  }

  /** @returns a reply with NOERROR or NXDOMAIN that `useful` likes, or why there is none */
  async ask(name: string, type: RecordType, useful: (reply: Reply) => boolean): Promise<Reply | Failure> {
    let why: Failure = 'unreachable';
    for (let round = 0; round < this.#settings.attempts; round++) {
      for (const known of this.#inOrder()) {
        if (this.#closed) return 'unreachable';
        const result = await this.#askServer(known, name, type);
        if (typeof result === 'string') {
          if (result === 'timeout' || result === 'unreachable') known.shunnedUntil = millis(this.#clock.now() + SHUN);
          why = moreTelling(why, result);
        } else if (useful(result)) return result;
        else why = moreTelling(why, 'server failure');
      }
    }
    return why;
  }

  /** Whatever is under way fails as unreachable. */
  close(): void {
    this.#closed = true;
    for (const cancel of [...this.#cancels]) cancel();
    this.#sockets.close();
  }

  #inOrder(): readonly Acquaintance[] {
    const now = this.#clock.now();
    const shunned = this.#servers.filter((known) => known.shunnedUntil > now);
    return shunned.length === 0
      ? this.#servers
      : [...this.#servers.filter((known) => known.shunnedUntil <= now), ...shunned];
  }

  async #askServer(known: Acquaintance, name: string, type: RecordType): Promise<Reply | Failure> {
    let result = await this.#byUdp(known, name, type);
    // Each of the two shortcomings is learned at most once.
    for (let lessons = 0; lessons < 2; lessons++) {
      if (result === 'folded') known.foldsUntil = millis(this.#clock.now() + BELIEVE);
      else if (
        typeof result !== 'string' &&
        this.#edns(known) &&
        (result.rcode === 'FORMERR' || result.rcode === 'NOTIMP')
      ) {
        known.plainUntil = millis(this.#clock.now() + BELIEVE);
      } else break;
      result = await this.#byUdp(known, name, type);
    }
    if (typeof result !== 'string' && result.truncated && this.#settings.tcpFallback) {
      result = await this.#byTcp(known, name, type);
    }
    if (result === 'folded') return 'malformed';
    if (typeof result === 'string' || result.rcode === 'NOERROR' || result.rcode === 'NXDOMAIN') return result;
    return result.rcode === 'REFUSED' ? 'refused' : 'server failure';
  }

  #byUdp(known: Acquaintance, name: string, type: RecordType): Promise<Reply | Failure | 'folded'> {
    return this.#timed(name, type, (tell) => {
      const sent = known.foldsUntil > this.#clock.now() ? name : mixedCase(name, this.#chance);
      const query = this.#sockets.open(known.server, {
        received: (bytes) => {
          const reply = decodeReply(bytes);
          const verdict = reply && judged(reply, sent, type);
          if (reply && verdict === 'ours') tell(reply);
          else if (verdict === 'folded') tell('folded');
          // Anybody can send this; the true answer may still come.
          else this.#tally.bad++;
        },
        unreachable: () => tell('unreachable'),
      });
      query.send(encodeQuery(query.id, sent, type, this.#edns(known)));
      return () => query.close();
    });
  }

  #byTcp(known: Acquaintance, name: string, type: RecordType): Promise<Reply | Failure> {
    const { server } = known;
    return this.#timed<Reply | Failure>(name, type, (tell) => {
      const id = this.#chance.below(65_536);
      const chunks: Uint8Array[] = [];
      let have = 0;
      const pipe = this.#network.connect({ kind: 'tcp', ...server }, undefined, {
        opened: () => {
          const query = encodeQuery(id, name, type, this.#edns(known));
          // RFC 1035 §4.2.2: two bytes of length stand in front.
          pipe.write([Buffer.from([query.length >> 8, query.length & 0xff]), query]);
        },
        data: (chunk) => {
          chunks.push(chunk);
          have += chunk.length;
          if (have < 2) return;
          const bytes = Buffer.concat(chunks);
          const length = bytes.readUInt16BE(0);
          if (have < 2 + length) return;
          const reply = decodeReply(bytes.subarray(2, 2 + length));
          tell(reply?.id === id && judged(reply, name, type) !== 'not ours' ? reply : 'malformed');
        },
        drained: () => undefined,
        closed: () => tell('unreachable'),
      });
      return () => pipe.destroy();
    });
  }

  #edns(known: Acquaintance): boolean {
    return known.plainUntil <= this.#clock.now();
  }

  /** One try: counted, measured, and ended by time or by `close`. */
  #timed<T>(
    name: string,
    type: RecordType,
    start: (tell: (result: T | Failure) => void) => () => void,
  ): Promise<T | Failure> {
    return new Promise((resolve) => {
      const from = this.#clock.now();
      this.#tally.asked(name, type);
      let end = (): void => undefined;
      let told = false;
      const tell = (result: T | Failure): void => {
        if (told) return;
        told = true;
        timer[Symbol.dispose]();
        this.#cancels.delete(cancel);
        if (result === 'timeout') this.#tally.timeouts[type]++;
        else if (typeof result !== 'string') this.#tally.answered(this.#clock.now() - from);
        end();
        resolve(result);
      };
      const cancel = (): void => tell('unreachable');
      const timer = this.#clock.at(millis(from + this.#settings.timeoutMillis), () => tell('timeout'));
      this.#cancels.add(cancel);
      end = start(tell);
      if (told) end();
    });
  }
}

const NEVER = millis(0);

function judged(reply: Reply, sent: string, type: RecordType): 'ours' | 'folded' | 'not ours' {
  // Servers that did not understand a query may leave the question out.
  if (!reply.question) return reply.rcode === 'FORMERR' || reply.rcode === 'NOTIMP' ? 'ours' : 'not ours';
  if (reply.question.type !== type) return 'not ours';
  if (reply.question.name === sent) return 'ours';
  return reply.question.name.toLowerCase() === sent.toLowerCase() ? 'folded' : 'not ours';
}

/** Of several servers' failures the one that says most about the name is told. */
function moreTelling(one: Failure, other: Failure): Failure {
  const order: readonly Failure[] = ['unreachable', 'timeout', 'malformed', 'refused', 'server failure'];
  return order.indexOf(other) > order.indexOf(one) ? other : one;
}
