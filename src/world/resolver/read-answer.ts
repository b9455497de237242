import type { DnsRecord, RecordType } from '../world.ts';
import type { Reply } from './codec.ts';

/** What a reply means for a question. TTLs are seconds; 0 must not be remembered. */
export type Reading =
  | { readonly kind: 'found'; readonly records: readonly DnsRecord[]; readonly ttl: number }
  /** The name is an alias, and the server did not say what of. */
  | { readonly kind: 'follow'; readonly name: string; readonly ttl: number }
  | { readonly kind: 'no data' | 'no name'; readonly ttl: number }
  /** The server knows nothing about it and points elsewhere: not the kind of server that we ask. */
  | { readonly kind: 'lame' }
  /** More aliases than we follow, or aliases in a circle. */
  | { readonly kind: 'endless' };

/** Aliases followed for one question. */
export const MOST_ALIASES = 8;

/**
 * @param reply with response code NOERROR or NXDOMAIN
 * @param name lower case, without the trailing dot
 */
export function readAnswer(reply: Reply, name: string, type: RecordType): Reading {
  let at = name;
  let ttl = Number.POSITIVE_INFINITY;
  for (let aliases = 0; ; aliases++) {
    const records: DnsRecord[] = [];
    let alias: string | undefined;
    let aliasTtl = 0;
    for (const each of reply.answers) {
      if (each.owner !== at) continue;
      if (each.record.type === type) {
        records.push(each.record);
        // RFC 2181 §5.2: the records of a set should agree; if not, the least counts.
        ttl = Math.min(ttl, each.ttl);
      } else if (each.record.type === 'CNAME') {
        alias = each.record.name;
        aliasTtl = each.ttl;
      }
    }
    if (records.length > 0) return { kind: 'found', records, ttl };
    if (alias === undefined) break;
    if (aliases === MOST_ALIASES || alias === at) return { kind: 'endless' };
    at = alias;
    ttl = Math.min(ttl, aliasTtl);
  }
  // RFC 6604 §3: the response code is about the last name of the chain.
  if (reply.rcode === 'NXDOMAIN') return { kind: 'no name', ttl: Math.min(ttl, reply.negativeTtl ?? 0) };
  if (reply.negativeTtl !== undefined) return { kind: 'no data', ttl: Math.min(ttl, reply.negativeTtl) };
  if (at !== name) return { kind: 'follow', name: at, ttl };
  if (reply.referral && !reply.authoritative && !reply.recursive) return { kind: 'lame' };
  // RFC 2308 §5: without an SOA record nobody says how long this holds.
  return { kind: 'no data', ttl: 0 };
}
