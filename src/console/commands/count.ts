import { addressBytes, addressText, type Cidr, contains, parseCidr, unmapped } from '../../base/index.ts';
import type { Call, Command, Output } from '../command.ts';
import type { Family } from '../house.ts';
import { right } from '../layout.ts';

export const count: Command = {
  words: 'count',
  summary: 'open connections by address block',
  usage: 'count outbound|outbound/BINDING|SERVICE ADDRESS[/M]|M|M-N',
  *run({ rest, house }): Output {
    const [type, which, ...more] = rest;
    if (type === undefined || which === undefined || more.length > 0) return 'not understood';
    const masks = /^(\d{1,3})(?:-(\d{1,3}))?$/.exec(which);
    const block = masks === null ? parseCidr(which) : undefined;
    if (masks === null && block === undefined) return 'not understood';
    const addresses = [...addressesOf(house, type)];
    if (block !== undefined) {
      yield `${addresses.filter((ip) => contains(block, ip)).length} sessions\n`;
      return 'ok';
    }
    const from = Number(masks?.[1]);
    const to = Number(masks?.[2] ?? from);
    if (to < from || to > 128) return 'not understood';
    yield* grouped(addresses, from, to);
    return 'ok';
  },
};

function* addressesOf(house: Call['house'], type: string): Generator<string> {
  if (type === 'outbound' || type.startsWith('outbound/')) {
    const binding = type === 'outbound' ? undefined : type.slice('outbound/'.length);
    for (const connection of house.delivery.connections()) {
      if (binding === undefined || connection.binding === binding) yield plain(connection.family, connection.address);
    }
    return;
  }
  for (const session of house.sessions.inbound()) {
    if (session.service.toLowerCase() === type.toLowerCase()) yield plain(session.family, session.ip);
  }
}

/** A Unix socket counts as loopback, as it does everywhere else. */
const plain = (family: Family, ip: string): string => (family === 'Unix' ? '127.0.0.1' : unmapped(ip));

/**
 * A tree of blocks: each is printed at the shortest and the longest mask, and in between wherever it divides. Depth is
 * shown by indentation, one column a bit, as Momentum does.
 */
function* grouped(addresses: readonly string[], from: number, to: number): Generator<string> {
  const byBytes = addresses.map(addressBytes);
  for (const length of [4, 16]) {
    const family = byBytes.filter((bytes) => bytes.length === length).sort(Buffer.compare);
    const last = Math.min(to, length * 8);
    yield* divided(family, Math.min(from, last), last);
  }
}

function* divided(sorted: readonly Uint8Array[], mask: number, last: number): Generator<string> {
  for (const block of split(sorted, mask)) {
    yield blockLine(block, mask);
    yield* below(block, mask, last);
  }
}

function* below(block: readonly Uint8Array[], mask: number, last: number): Generator<string> {
  if (mask >= last) return;
  for (let next = mask + 1; next < last; next++) {
    if (split(block, next).length > 1) return yield* divided(block, next, last);
  }
  yield* divided(block, last, last);
}

/** Runs of neighbours with the same first bits. */
function split(sorted: readonly Uint8Array[], mask: number): Uint8Array[][] {
  const runs: Uint8Array[][] = [];
  let key = '';
  for (const bytes of sorted) {
    const own = network(bytes, mask);
    if (runs.length === 0 || own !== key) runs.push([]);
    key = own;
    runs.at(-1)?.push(bytes);
  }
  return runs;
}

function blockLine(block: readonly Uint8Array[], mask: number): string {
  return `${right(block.length, 7)} ${' '.repeat(mask)}${network(block[0] ?? new Uint8Array(4), mask)}/${mask}\n`;
}

function network(bytes: Uint8Array, prefix: number): string {
  const cut: Cidr['bytes'] = bytes.map((byte, at) => {
    const bits = Math.min(8, Math.max(0, prefix - at * 8));
    return byte & (0xff00 >> bits) & 0xff;
  });
  return addressText(cut);
}
