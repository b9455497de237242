import { type Cidr, contains, type Endpoint, parseCidr, parseEndpoint } from '../../base/index.ts';
import type { Query } from '../fallback/chain.ts';
import type { CompiledGeneration } from '../fallback/compiled-generation.ts';
import type { Stanza } from '../tree/stanza.ts';
import { effective } from './effective.ts';

type ReceivingQuery = Extract<Query, { kind: 'receiving' }>;

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
export function doorsOf(generation: CompiledGeneration, type: string): readonly Door[] {
  const listener = generation.tree.children.get(type)?.get('');
  if (!listener) return [];
  const ofListener = blocksOf(listener);
  return [...(listener.children.get('listen')?.values() ?? [])].flatMap((listen) => {
    const endpoint = parseEndpoint(listen.instance);
    if (endpoint.kind === 'error') return [];
    const query: ReceivingQuery = {
      kind: 'receiving',
      listener: type,
      endpoint: listen.instance,
      client: undefined,
      pathway: undefined,
    };
    if (effective(generation, query, 'enable')?.values[0] === false) return [];
    const title = `Listen "${listen.written ?? listen.instance}"`;
    const clients = clientsOf(ofListener, blocksOf(listen), familyOf(endpoint), query);
    return [{ listener, listen, endpoint, reach: reachOf(endpoint), title, clients }];
  });
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

/** The blocks that have a `Peer` in one stanza. */
interface Blocks {
  readonly vast: readonly Block[];
  readonly few: readonly Block[];
  /** Of everybody else, on whom only the vast blocks have a say. */
  readonly strangers: readonly string[];
}

interface Block {
  readonly cidr: Cidr;
  readonly address: string;
}

function blocksOf(container: Stanza): Blocks {
  const blocks = [...(container.children.get('peer')?.keys() ?? [])].flatMap((text) => {
    const cidr = parseCidr(text);
    return cidr ? [{ cidr, address: text.replace(/\/\d+$/, '') }] : [];
  });
  const few = blocks.filter(({ cidr }) => !isVast(cidr));
  return {
    vast: blocks.filter(({ cidr }) => isVast(cidr)),
    few: few.slice(0, MOST_CLIENTS),
    strangers: STRANGERS.filter((address) => !few.some(({ cidr }) => contains(cidr, address))),
  };
}

/** One for each block that has a `Peer`, and one who is in none but the vast ones. */
function clientsOf(outer: Blocks, inner: Blocks, family: 4 | 6, query: ReceivingQuery): readonly Client[] {
  const anybody = inner.strangers.find(
    (address) => address.includes(':') === (family === 6) && outer.strangers.includes(address),
  );
  const client = (address: string, everybody: boolean): Client => ({
    address,
    everybody,
    query: { ...query, client: address },
  });
  const ours = (blocks: readonly Block[]): readonly Block[] => blocks.filter(({ cidr }) => cidr.family === family);
  return [
    ...(anybody === undefined ? [] : [client(anybody, true)]),
    ...ours([...inner.vast, ...outer.vast])
      .filter(({ cidr }) => anybody === undefined || !contains(cidr, anybody))
      .map(({ address }) => client(address, true)),
    ...ours([...inner.few, ...outer.few]).map(({ address }) => client(address, false)),
  ];
}

/** A listener with more Peer stanzas was written by a program; all of them would be asked at each door. */
const MOST_CLIENTS = 2000;

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
