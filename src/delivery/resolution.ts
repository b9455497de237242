import { type CidrTable, type Domain, family, literalAddress, parseAddress, seconds, unmapped } from '../base/index.ts';
import { type Reply, reply } from '../smtp/index.ts';
import type { DnsAnswer, Names } from '../world/index.ts';
import type { RouteAddress } from './route.ts';
import type { RouteEntry } from './route-entry.ts';

/** What one resolution of a domain needs from the options. */
export interface ResolutionRules {
  readonly entries: readonly RouteEntry[] | undefined;
  readonly useIpv6: boolean;
  readonly prohibited: CidrTable<string> | undefined;
  readonly skipped: CidrTable<string> | undefined;
  /** The MX look-up has failed so often that, when it fails again, addresses are asked (mx_failures_fallback_to_a). */
  readonly addressesInstead: boolean;
  /** This machine as an MX record would name it, lower case. */
  readonly ownName: string;
}

export type Resolution =
  | { readonly kind: 'addresses'; readonly addresses: readonly RouteAddress[]; readonly ttlSeconds: number }
  | { readonly kind: 'none'; readonly reply: Reply; readonly ttlSeconds: number }
  | { readonly kind: 'failed' };

const LOOKUP_FAILED = reply(554, '5.4.4', '[internal] Domain Lookup Failed');
const NULL_MX = reply(550, '5.4.4', '[internal] NULL MX domain does not accept mail');
const NO_ADDRESS = reply(550, '5.4.4', '[internal] no MX or A for domain');
const PROHIBITED = reply(551, '5.4.6', '[internal] Private/Loopback Address');
/** RFC 5321 §5.1: mail for us that we do not know to be ours would come back to us. */
const BEST_IS_OURSELVES = reply(554, '5.4.6', '[internal] this host is the best MX of the domain');
/** More exchangers than this are not asked for addresses: an answer could name thousands. */
const MOST_HOSTS = 50;
const MOST_TTL = 86_400;
/** When some exchanger could not be looked up, what is known of the others is not kept for long. */
const PARTIAL_TTL = 60;

interface Target {
  readonly host: string;
  readonly preference: number;
  readonly port: number | undefined;
}

type Targets =
  | {
      readonly kind: 'targets';
      readonly targets: readonly Target[];
      readonly ttlSeconds: number;
      /** Nobody knows whether these are all, or the right ones: some look-up has failed. */
      readonly partial: boolean;
    }
  | Exclude<Resolution, { kind: 'addresses' }>;

/**
 * From a routing domain to addresses (RFC 5321 §5.1, RFC 7505; spec/delivery 7.2). A pure reading of DNS answers.
 */
export async function resolve(names: Names, domain: Domain, rules: ResolutionRules): Promise<Resolution> {
  const found =
    rules.entries === undefined
      ? await exchangers(names, domain, rules)
      : await listed(names, domain, rules.entries, rules);
  if (found.kind !== 'targets') return found;
  const addresses: RouteAddress[] = [];
  let { ttlSeconds, partial } = found;
  let prohibited = false;
  const asked = found.targets.slice(0, MOST_HOSTS);
  const answers = await Promise.all(asked.map((target) => addressesOf(names, target.host, rules.useIpv6)));
  for (const [index, target] of asked.entries()) {
    for (const answer of answers[index] ?? []) {
      if (answer.kind === 'failed') partial = true;
      if (answer.kind !== 'found') continue;
      ttlSeconds = Math.min(ttlSeconds, answer.ttl);
      for (const record of answer.records) {
        if (record.type !== 'A' && record.type !== 'AAAA') continue;
        // An IPv4 address may come in the clothes of an IPv6 one.
        const ip = unmapped(record.address);
        if (within(rules.prohibited, ip)) prohibited = true;
        else if (!within(rules.skipped, ip)) {
          addresses.push({ ip, host: target.host, preference: target.preference, port: target.port });
        }
      }
    }
  }
  // An address that must never be talked to denies the domain, whatever else it lists.
  if (prohibited) return { kind: 'none', reply: PROHIBITED, ttlSeconds };
  if (addresses.length > 0)
    return { kind: 'addresses', addresses, ttlSeconds: partial ? Math.min(ttlSeconds, PARTIAL_TTL) : ttlSeconds };
  return partial ? { kind: 'failed' } : { kind: 'none', reply: NO_ADDRESS, ttlSeconds };
}

function within(blocks: CidrTable<string> | undefined, ip: string): boolean {
  return blocks !== undefined && blocks.matches(ip).length > 0;
}

async function exchangers(names: Names, domain: Domain, rules: ResolutionRules): Promise<Targets> {
  const literal = literalAddress(domain);
  if (literal !== undefined) return targets([{ host: literal, preference: 0, port: undefined }], MOST_TTL, false);
  const itself: Target = { host: domain, preference: 0, port: undefined };
  const answer = await names.lookup(domain, 'MX');
  switch (answer.kind) {
    case 'failed':
      return rules.addressesInstead ? targets([itself], MOST_TTL, true) : { kind: 'failed' };
    case 'no name':
      return { kind: 'none', reply: LOOKUP_FAILED, ttlSeconds: answer.ttl };
    case 'no data':
      // RFC 5321 §5.1: no MX record means that the domain is its own exchanger.
      return targets([itself], MOST_TTL, false);
    case 'found': {
      const found: Target[] = [];
      for (const record of answer.records) {
        if (record.type !== 'MX') continue;
        const host = record.host.toLowerCase().replace(/\.$/, '');
        // RFC 7505: null MX counts only as the sole record. An address in place of a name is nothing that DNS knows.
        if (host === '') {
          if (answer.records.length === 1) return { kind: 'none', reply: NULL_MX, ttlSeconds: answer.ttl };
        } else if (parseAddress(host) === undefined)
          found.push({ host, preference: record.preference, port: undefined });
      }
      if (found.length === 0) return { kind: 'none', reply: NO_ADDRESS, ttlSeconds: answer.ttl };
      // Infinite when we are none of them.
      const own = Math.min(
        ...found.map(({ host, preference }) => (host === rules.ownName ? preference : Number.POSITIVE_INFINITY)),
      );
      const better = found.filter(({ preference }) => preference < own);
      if (better.length === 0) return { kind: 'none', reply: BEST_IS_OURSELVES, ttlSeconds: answer.ttl };
      return targets(better, answer.ttl, false);
    }
  }
}

function targets(found: readonly Target[], ttlSeconds: number, partial: boolean): Targets {
  return { kind: 'targets', targets: found.toSorted(byPreference), ttlSeconds, partial };
}

const byPreference = (one: Target, other: Target): number => one.preference - other.preference;

/** The `routes` option: list order is preference where none is given, and what MX records say counts within an item. */
async function listed(
  names: Names,
  domain: Domain,
  entries: readonly RouteEntry[],
  rules: ResolutionRules,
): Promise<Targets> {
  const all: Target[] = [];
  let ttlSeconds = MOST_TTL;
  let partial = false;
  let refused: Targets | undefined;
  const step = entries.some((entry) => entry.kind === 'mx' || entry.type === 'mx') ? MX_PREFERENCES : 1;
  for (const [index, entry] of entries.entries()) {
    const port = entry.kind === 'host' ? entry.port : undefined;
    const base = ((entry.kind === 'host' ? entry.preference : undefined) ?? index) * step;
    if (entry.kind === 'host' && entry.type === 'a') {
      all.push({ host: entry.host, preference: base, port });
      ttlSeconds = Math.min(ttlSeconds, entry.ttlSeconds ?? ttlSeconds);
      continue;
    }
    const found = await exchangers(names, entry.kind === 'mx' ? domain : (entry.host as Domain), rules);
    if (found.kind === 'none') refused = found;
    if (found.kind === 'failed') partial = true;
    if (found.kind !== 'targets') continue;
    for (const target of found.targets) all.push({ host: target.host, preference: base + target.preference, port });
    ttlSeconds = Math.min(
      ttlSeconds,
      found.ttlSeconds,
      (entry.kind === 'host' ? entry.ttlSeconds : undefined) ?? ttlSeconds,
    );
    partial ||= found.partial;
  }
  if (all.length > 0) return targets(all, ttlSeconds, partial);
  // Only when DNS has spoken for every item is there nowhere to go.
  return partial || refused === undefined ? { kind: 'failed' } : refused;
}

/** MX preferences are of 16 bits (RFC 1035 §3.3.9). */
const MX_PREFERENCES = 65_536;

async function addressesOf(names: Names, host: string, useIpv6: boolean): Promise<readonly DnsAnswer[]> {
  const literal = parseAddress(host);
  if (literal !== undefined) {
    const type = family(literal) === 4 ? 'A' : 'AAAA';
    return [{ kind: 'found', records: [{ type, address: literal }], ttl: seconds(MOST_TTL), authentic: false }];
  }
  return Promise.all(useIpv6 ? [names.lookup(host, 'A'), names.lookup(host, 'AAAA')] : [names.lookup(host, 'A')]);
}
