import type { Answer, DecodedPacket, Packet } from 'dns-packet';
import packet from 'dns-packet';
import type { Datagrams, Listening } from '../world.ts';
import type { SimZone } from './names.ts';
import type { SimNetwork } from './network.ts';

export interface SimDnsQuery {
  /** As it came, with the case of its letters. */
  readonly name: string;
  readonly type: string;
  readonly edns: boolean;
  readonly by: 'udp' | 'tcp';
  readonly from: { readonly ip: string; readonly port: number };
}

/** What becomes of an answer on its way: other packets, raw bytes, or none. */
export type SimDnsTwist = (answer: Packet, query: SimDnsQuery) => readonly (Packet | Uint8Array)[];

/** A name server in the simulated network, made of zones. It can be made to lie, to cut off and to fall silent. */
export class SimDnsServer implements AsyncDisposable {
  readonly at: { readonly ip: string; readonly port: number };
  readonly queries: SimDnsQuery[] = [];
  /** An honest server sends what it knows. */
  twist: SimDnsTwist = (answer) => [answer];
  /** Longest answer by UDP; beyond, it is cut off and marked. */
  udpLimit = 1232;
  /** Seconds given to all records, and to what does not exist. */
  ttl = 300;
  negativeTtl = 60;
  /** Whether an answer goes on behind an alias, as recursive servers do. */
  follows = true;
  readonly #network: SimNetwork;
  readonly #zones = new Map<string, SimZone>();
  readonly #socket: Datagrams;
  readonly #door: Promise<Listening>;

  constructor(
    network: SimNetwork,
    at: { readonly ip: string; readonly port: number },
    zones: Readonly<Record<string, SimZone>>,
  ) {
    this.at = at;
    this.#network = network;
    for (const [name, zone] of Object.entries(zones)) this.set(name, zone);
    this.#socket = network.bind(at, {
      received: (bytes, from) => {
        for (const answer of this.#answer(bytes, 'udp', from)) this.#socket.send(answer, from);
      },
      failed: () => undefined,
    });
    this.#door = network.listen({ kind: 'tcp', ...at }, { backlog: 10, fileMode: 0 }, (pipe) => {
      let have = Buffer.alloc(0);
      return {
        data: (chunk) => {
          have = Buffer.concat([have, chunk]);
          if (have.length < 2 || have.length < 2 + have.readUInt16BE(0)) return;
          for (const answer of this.#answer(have.subarray(2), 'tcp', pipe.remote)) {
            pipe.write([Buffer.from([answer.length >> 8, answer.length & 0xff]), answer]);
          }
          pipe.end();
        },
        drained: () => undefined,
        closed: () => undefined,
      };
    });
  }

  set(name: string, zone: SimZone): void {
    this.#zones.set(name.toLowerCase(), zone);
  }

  /** Sends an answer that claims to come from somewhere. */
  forge(from: { readonly ip: string; readonly port: number }, to: SimDnsQuery['from'], answer: Packet): void {
    this.#network.forge(from, to, packet.encode(answer));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    await (await this.#door)[Symbol.asyncDispose]();
  }

  #answer(bytes: Uint8Array, by: 'udp' | 'tcp', from: SimDnsQuery['from']): Uint8Array[] {
    const asked: DecodedPacket = packet.decode(Buffer.from(bytes));
    const question = asked.questions?.[0];
    if (!question) return [];
    const edns = asked.additionals?.some((each) => each.type === 'OPT') === true;
    const query: SimDnsQuery = {
      name: question.name,
      type: question.type,
      edns,
      by,
      from: { ip: from.ip, port: from.port },
    };
    this.queries.push(query);
    const answer = { ...this.#known(query), id: asked.id ?? 0, type: 'response' as const, questions: [question] };
    return this.twist(answer, query).map((each) => {
      if (each instanceof Uint8Array) return each;
      const whole = packet.encode(each);
      if (by === 'tcp' || whole.length <= this.udpLimit) return whole;
      return packet.encode({
        ...each,
        flags: (each.flags ?? 0) | packet.TRUNCATED_RESPONSE,
        answers: [],
        authorities: [],
      });
    });
  }

  #known(query: SimDnsQuery): Packet {
    const answers: Answer[] = [];
    let name = query.name;
    let zone = this.#zones.get(name.toLowerCase());
    for (let hops = 0; hops < 20 && zone?.CNAME !== undefined && query.type !== 'CNAME'; hops++) {
      answers.push({ type: 'CNAME', name, ttl: this.ttl, class: 'IN', data: zone.CNAME });
      if (!this.follows) return made(answers, [], 0);
      name = zone.CNAME;
      zone = this.#zones.get(name.toLowerCase());
    }
    if (zone?.fails) return made([], [], zone.fails === 'refused' ? 5 : 2);
    if (zone) answers.push(...records(name, query.type, zone, this.ttl));
    const soa = { mname: 'ns.example', rname: 'hostmaster.example', serial: 1, minimum: this.negativeTtl };
    const empty = !zone || (answers.at(-1)?.type ?? '') !== query.type;
    return made(
      answers,
      empty ? [{ type: 'SOA', name: 'example', ttl: 3600, class: 'IN', data: soa }] : [],
      zone ? 0 : 3,
    );
  }
}

/** @returns the same answer with another response code; the codec keeps it in the lowest bits of the flags */
export function withCode(answer: Packet, rcode: number): Packet {
  return { ...answer, flags: ((answer.flags ?? 0) & ~0xf) | rcode };
}

/** @returns an answer of a recursive server */
function made(answers: Answer[], authorities: Answer[], rcode: number): Packet {
  return withCode({ flags: packet.RECURSION_DESIRED | packet.RECURSION_AVAILABLE, answers, authorities }, rcode);
}

function records(name: string, type: string, zone: SimZone, ttl: number): Answer[] {
  const common = { name, ttl, class: 'IN' as const };
  switch (type) {
    case 'A':
    case 'AAAA':
      return (zone[type] ?? []).map((data) => ({ ...common, type, data }));
    case 'PTR':
      return (zone.PTR ?? []).map((data) => ({ ...common, type, data }));
    case 'CNAME':
      return zone.CNAME === undefined ? [] : [{ ...common, type, data: zone.CNAME }];
    case 'TXT':
      return (zone.TXT ?? []).map((data) => ({ ...common, type, data: [data] }));
    case 'MX':
      return (zone.MX ?? []).map((text) => {
        const [preference = '', exchange = ''] = text.split(' ');
        return { ...common, type, data: { preference: Number(preference), exchange } };
      });
    default:
      return [];
  }
}
