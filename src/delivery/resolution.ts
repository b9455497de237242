import { type CidrTable, type Domain, family, literalAddress, parseAddress, seconds } from '../base/index.ts';
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
  /** The MX look-up has failed often enough that addresses are asked instead (mx_failures_fallback_to_a). */
  readonly addressesOnly: boolean;
}

export type Resolution =
  | { readonly kind: 'addresses'; readonly addresses: readonly RouteAddress[]; readonly ttlSeconds: number }
  | { readonly kind: 'none'; readonly reply: Reply; readonly ttlSeconds: number }
  | { readonly kind: 'failed' };

const LOOKUP_FAILED = reply(554, '5.4.4', '[internal] Domain Lookup Failed');
const NULL_MX = reply(550, '5.4.4', '[internal] NULL MX domain does not accept mail');
const NO_ADDRESS = reply(550, '5.4.4', '[internal] no MX or A for domain');
const PROHIBITED = reply(551, '5.4.6', '[internal] Private/Loopback Address');
/** More exchangers than this are not asked for addresses: an answer could name thousands. */
const MOST_HOSTS = 50;
const MOST_TTL = 86_400;

interface Target {
  readonly host: string;
  readonly preference: number;
  readonly port: number | undefined;
}

type Targets =
  | { readonly kind: 'targets'; readonly targets: readonly Target[]; readonly ttlSeconds: number }
  | Exclude<Resolution, { kind: 'addresses' }>;

/**
 * From a routing domain to addresses (RFC 5321 §5.1, RFC 7505; spec/delivery 7.2). A pure reading of DNS answers.
 */
export async function resolve(names: Names, domain: Domain, rules: ResolutionRules): Promise<Resolution> {
  const found =
    rules.entries === undefined
      ? await exchangers(names, domain, rules.addressesOnly)
      : await listed(names, domain, rules.entries, rules.addressesOnly);
  if (found.kind !== 'targets') return found;
  const addresses: RouteAddress[] = [];
  let ttlSeconds = found.ttlSeconds;
  let failed = false;
  let prohibited = false;
  const asked = found.targets.slice(0, MOST_HOSTS);
  const answers = await Promise.all(asked.map((target) => addressesOf(names, target.host, rules.useIpv6)));
  for (const [index, target] of asked.entries()) {
    for (const answer of answers[index] ?? []) {
      if (answer.kind === 'failed') failed = true;
      if (answer.kind !== 'found') continue;
      ttlSeconds = Math.min(ttlSeconds, answer.ttl);
      for (const record of answer.records) {
        if (record.type !== 'A' && record.type !== 'AAAA') continue;
        if (within(rules.prohibited, record.address)) prohibited = true;
        else if (!within(rules.skipped, record.address)) {
          addresses.push({ ip: record.address, host: target.host, preference: target.preference, port: target.port });
        }
      }
    }
  }
  // An address that must never be talked to denies the domain, whatever else it lists.
  if (prohibited) return { kind: 'none', reply: PROHIBITED, ttlSeconds };
  if (addresses.length > 0) return { kind: 'addresses', addresses, ttlSeconds };
  return failed ? { kind: 'failed' } : { kind: 'none', reply: NO_ADDRESS, ttlSeconds };
}

function within(blocks: CidrTable<string> | undefined, ip: string): boolean {
  return blocks !== undefined && blocks.matches(ip).length > 0;
}

async function exchangers(names: Names, domain: Domain, addressesOnly: boolean): Promise<Targets> {
  const literal = literalAddress(domain);
  if (literal !== undefined)
    return { kind: 'targets', targets: [{ host: literal, preference: 0, port: undefined }], ttlSeconds: MOST_TTL };
  const itself: Target = { host: domain, preference: 0, port: undefined };
  if (addressesOnly) return { kind: 'targets', targets: [itself], ttlSeconds: MOST_TTL };
  const answer = await names.lookup(domain, 'MX');
  switch (answer.kind) {
    case 'failed':
      return { kind: 'failed' };
    case 'no name':
      return { kind: 'none', reply: LOOKUP_FAILED, ttlSeconds: answer.ttl };
    case 'no data':
      // RFC 5321 §5.1: no MX record means that the domain is its own exchanger.
      return { kind: 'targets', targets: [itself], ttlSeconds: MOST_TTL };
    case 'found': {
      const targets: Target[] = [];
      for (const record of answer.records) {
        if (record.type !== 'MX') continue;
        const host = record.host.toLowerCase().replace(/\.$/, '');
        // RFC 7505: null MX counts only as the sole record. An address in place of a name is nothing that DNS knows.
        if (host === '') {
          if (answer.records.length === 1) return { kind: 'none', reply: NULL_MX, ttlSeconds: answer.ttl };
        } else if (parseAddress(host) === undefined)
          targets.push({ host, preference: record.preference, port: undefined });
      }
      if (targets.length === 0) return { kind: 'none', reply: NO_ADDRESS, ttlSeconds: answer.ttl };
      targets.sort((one, other) => one.preference - other.preference);
      return { kind: 'targets', targets, ttlSeconds: answer.ttl };
    }
  }
}

/** The `routes` option: list order is preference where none is given. */
async function listed(
  names: Names,
  domain: Domain,
  entries: readonly RouteEntry[],
  addressesOnly: boolean,
): Promise<Targets> {
  const targets: Target[] = [];
  let ttlSeconds = MOST_TTL;
  for (const [index, entry] of entries.entries()) {
    if (entry.kind === 'host' && entry.type === 'a') {
      targets.push({ host: entry.host, preference: entry.preference ?? index, port: entry.port });
      ttlSeconds = Math.min(ttlSeconds, entry.ttlSeconds ?? ttlSeconds);
      continue;
    }
    const found = await exchangers(names, entry.kind === 'mx' ? domain : (entry.host as Domain), addressesOnly);
    if (found.kind === 'failed' && targets.length === 0 && entries.length === 1) return found;
    if (found.kind === 'none' && entries.length === 1) return found;
    if (found.kind !== 'targets') continue;
    const port = entry.kind === 'host' ? entry.port : undefined;
    for (const target of found.targets)
      targets.push({ host: target.host, preference: index * 65536 + target.preference, port });
    ttlSeconds = Math.min(ttlSeconds, found.ttlSeconds);
  }
  if (targets.length === 0) return { kind: 'failed' };
  targets.sort((one, other) => one.preference - other.preference);
  return { kind: 'targets', targets, ttlSeconds };
}

async function addressesOf(names: Names, host: string, useIpv6: boolean): Promise<readonly DnsAnswer[]> {
  const literal = parseAddress(host);
  if (literal !== undefined) {
    const type = family(literal) === 4 ? 'A' : 'AAAA';
    return [{ kind: 'found', records: [{ type, address: literal }], ttl: seconds(MOST_TTL), authentic: false }];
  }
  return Promise.all(useIpv6 ? [names.lookup(host, 'A'), names.lookup(host, 'AAAA')] : [names.lookup(host, 'A')]);
}
