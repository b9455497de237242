import { seconds } from '../../base/index.ts';
import type { DnsAnswer, DnsRecord, Names, RecordType } from '../world.ts';

/**
 * What a name has. Addresses and names as they are written; MX as `10 mx.example`, a null MX as `0 .`.
 * `fails` answers every question for the name with that failure.
 */
export interface SimZone {
  readonly A?: readonly string[];
  readonly AAAA?: readonly string[];
  readonly MX?: readonly string[];
  readonly TXT?: readonly string[];
  readonly PTR?: readonly string[];
  readonly CNAME?: string;
  readonly fails?: (DnsAnswer & { readonly kind: 'failed' })['why'];
}

/** Names made of a map. */
export interface SimNames extends Names {
  /** Questions asked so far: `MX example.com`. */
  readonly asked: string[];
  /** Changes what a name has; undefined takes it away. */
  set(name: string, zone: SimZone | undefined): void;
}

/** @param zones what is not in it does not exist; a name with an empty zone exists and has nothing */
export function simNames(zones: Readonly<Record<string, SimZone>>, ttlSeconds = 300): SimNames {
  const known = new Map(Object.entries(zones).map(([name, zone]) => [plain(name), zone]));
  const ttl = seconds(ttlSeconds);
  const asked: string[] = [];
  const answer = (name: string, type: RecordType): DnsAnswer => {
    let zone = known.get(name);
    for (let hops = 0; zone?.CNAME !== undefined && type !== 'CNAME'; hops++) {
      if (hops === 8) return { kind: 'failed', why: 'server failure' };
      zone = known.get(plain(zone.CNAME));
    }
    if (!zone) return { kind: 'no name', ttl };
    if (zone.fails) return { kind: 'failed', why: zone.fails };
    const texts = type === 'CNAME' ? (zone.CNAME === undefined ? [] : [zone.CNAME]) : (zone[type] ?? []);
    if (texts.length === 0) return { kind: 'no data', ttl };
    return { kind: 'found', records: texts.map((text) => record(type, text)), ttl, authentic: false };
  };
  return {
    asked,
    set: (name, zone) => {
      if (zone) known.set(plain(name), zone);
      else known.delete(plain(name));
    },
    lookup: async (name, type) => {
      asked.push(`${type} ${plain(name)}`);
      return answer(plain(name), type);
    },
  };
}

function plain(name: string): string {
  const lower = name.toLowerCase();
  return lower.endsWith('.') ? lower.slice(0, -1) : lower;
}

function record(type: RecordType, text: string): DnsRecord {
  switch (type) {
    case 'A':
    case 'AAAA':
      return { type, address: text };
    case 'MX': {
      const [preference = '', host = ''] = text.split(' ');
      return { type, preference: Number(preference), host: plain(host) };
    }
    case 'CNAME':
    case 'PTR':
      return { type, name: plain(text) };
    case 'TXT':
      return { type, strings: [Buffer.from(text)] };
  }
}
