import { type Cidr, contains, type Endpoint, parseCidr, parseEndpoint } from '../../base/index.ts';
import type { Query } from '../fallback/chain.ts';
import type { Stanza } from '../tree/stanza.ts';
import { effective } from './effective.ts';
import type { Subject } from './rule.ts';

/** A `Listen` that is open, and the kinds of clients that may find different values there. */
export interface Door {
  readonly listener: Stanza;
  readonly listen: Stanza;
  readonly endpoint: Endpoint;
  /** `local`: this machine only. `private`: networks that the internet does not route. `public`: everybody. */
  readonly reach: Reach;
  /** `Listen ":25"`, as written. */
  readonly title: string;
  readonly clients: readonly Client[];
}

export type Reach = 'local' | 'private' | 'public';

export interface Client {
  /** One address that stands for all of them. */
  readonly address: string;
  /** Whether they are a good part of the internet, and nobody in particular. */
  readonly everybody: boolean;
  readonly query: Query;
}

/** The open doors of a kind of listener. */
export function* doorsOf(subject: Subject, type: string): Iterable<Door> {
  const listener = subject.generation.tree.children.get(type)?.get('');
  for (const listen of listener?.children.get('listen')?.values() ?? []) {
    const endpoint = parseEndpoint(listen.instance);
    if (!listener || endpoint.kind === 'error') continue;
    const query: Query = {
      kind: 'receiving',
      listener: type,
      endpoint: listen.instance,
      client: undefined,
      pathway: undefined,
    };
    if (effective(subject.generation, query, 'enable')?.values[0] === false) continue;
    const title = `Listen "${listen.written ?? listen.instance}"`;
    const clients = clientsOf(listener, listen, endpoint, query);
    yield { listener, listen, endpoint, reach: reachOf(endpoint), title, clients };
  }
}

/** Blocks at least this large hold more than any one organisation has. */
export function isVast(cidr: Cidr): boolean {
  return cidr.prefix < (cidr.family === 4 ? 8 : 16);
}

/** IPv4 for sockets in the file system too, whose clients count as 127.0.0.1. */
export function familyOf(endpoint: Endpoint): 4 | 6 {
  return endpoint.kind === 'tcp' && endpoint.ip.includes(':') ? 6 : 4;
}

export function reachOf(endpoint: Endpoint): Reach {
  if (endpoint.kind === 'unix') return 'local';
  if (inside(LOOPBACK, endpoint.ip)) return 'local';
  return inside(PRIVATE, endpoint.ip) ? 'private' : 'public';
}

/** One for each block that has a `Peer`, and one who is in none but the vast ones. */
function clientsOf(listener: Stanza, listen: Stanza, endpoint: Endpoint, query: Query): readonly Client[] {
  if (query.kind !== 'receiving') return [];
  const family = familyOf(endpoint);
  const blocks = [listen, listener]
    .flatMap((stanza) => [...(stanza.children.get('peer')?.keys() ?? [])])
    .flatMap((text) => parseCidr(text) ?? [])
    .filter((cidr) => cidr.family === family);
  const named = blocks.filter((cidr) => !isVast(cidr));
  const anybody = STRANGERS.find(
    (address) => address.includes(':') === (family === 6) && !named.some((cidr) => contains(cidr, address)),
  );
  const everybody =
    anybody === undefined ? [] : [{ address: anybody, everybody: true, query: { ...query, client: anybody } }];
  const others = [listen, listener]
    .flatMap((stanza) => [...(stanza.children.get('peer')?.keys() ?? [])])
    .flatMap((text) => {
      const cidr = parseCidr(text);
      const address = text.replace(/\/\d+$/, '');
      if (cidr?.family !== family || (isVast(cidr) && anybody !== undefined && contains(cidr, anybody))) return [];
      return [{ address, everybody: isVast(cidr), query: { ...query, client: address } }];
    });
  return [...everybody, ...others];
}

function inside(blocks: readonly string[], ip: string): boolean {
  return blocks.some((text) => {
    const cidr = parseCidr(text);
    return cidr !== undefined && contains(cidr, ip);
  });
}

const LOOPBACK = ['127.0.0.0/8', '::1/128'];
/** RFC 1918, 3927, 6598, 4193 and 4291. */
const PRIVATE = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  '100.64.0.0/10',
  'fc00::/7',
  'fe80::/10',
];
/** Addresses all over the internet; who has named the blocks of all of them has named no "everybody else". */
const STRANGERS = [
  '198.51.100.77',
  '203.0.113.77',
  '192.0.2.77',
  '8.9.10.11',
  '45.67.89.101',
  '93.184.215.14',
  '151.101.1.1',
  '212.1.2.3',
  '2a02:1:2::77',
  '2600:1:2::77',
  '2405:1:2::77',
  '2001:db8:77::77',
];
