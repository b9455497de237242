import type { DnsRecord, RecordType } from '../../world/index.ts';
import type { Command, Output } from '../command.ts';

export const dnsLookup: Command = {
  words: 'dns_cache lookup',
  summary: 'what the DNS cache holds for a name',
  usage: 'dns_cache lookup NAME A|AAAA|MX|TXT|PTR|CNAME',
  *run({ rest, house }): Output {
    const question = asked(rest);
    if (question === undefined) return 'not understood';
    if (question === 'route') return yield* noRoutes();
    const { name, type } = question;
    const kept = house.names.cached(name, type);
    if (kept === undefined) {
      yield 'Cached result not found, try a submit.\n';
      return 'ok';
    }
    yield `;; QUESTION SECTION:\n;${name.padEnd(23)} IN      ${type}\n\n;; ANSWER SECTION:\n`;
    const { answer } = kept;
    if (answer.kind !== 'found') {
      yield `;; ${answer.kind === 'failed' ? `failed: ${answer.why}` : answer.kind}\n`;
      return 'ok';
    }
    const ttl = String(Math.max(0, Math.floor(kept.secondsLeft))).padEnd(7);
    for (const record of answer.records)
      yield `${name.padEnd(23)} ${ttl} IN      ${record.type.padEnd(7)} ${data(record)}\n`;
    return 'ok';
  },
};

export const dnsSubmit: Command = {
  words: 'dns_cache submit',
  summary: 'ask the DNS and keep the answer',
  usage: 'dns_cache submit NAME A|AAAA|MX|TXT|PTR|CNAME',
  *run({ rest, house }): Output {
    const question = asked(rest);
    if (question === undefined) return 'not understood';
    if (question === 'route') return yield* noRoutes();
    house.names.submit(question.name, question.type);
    yield 'Submitted\n';
    return 'ok';
  },
};

export const dnsStats: Command = {
  words: 'dns_cache stats',
  summary: 'queries, answers and hits of the DNS cache',
  usage: 'dns_cache stats',
  *run({ rest, house }): Output {
    if (rest.length > 0) return 'not understood';
    const { queries, arpa, responses, bad, lookups, hits } = house.names.counts;
    const rate = lookups === 0 ? 0 : (100 * hits) / lookups;
    yield 'DNS Queries:\n';
    for (const type of ['TXT', 'PTR', 'MX', 'A', 'AAAA'] as const) yield row(type, 11, queries[type]);
    yield row('arpa IPv4', 11, arpa.ipv4);
    yield row('arpa IPv6', 11, arpa.ipv6);
    yield '\nDNS responses:\n';
    yield row('Total', 11, responses);
    yield row('Bad', 11, bad);
    yield '\nDNS cache:\n';
    yield row('Lookups', 11, lookups);
    yield row('Hit Rate', 11, `${rate.toFixed(4)}%`);
    return 'ok';
  },
};

const types: readonly RecordType[] = ['A', 'AAAA', 'MX', 'TXT', 'PTR', 'CNAME'];

/** Only ASCII without blanks is a question; what else is wrong with a name, the resolver says. */
function asked(rest: readonly string[]): { readonly name: string; readonly type: RecordType } | 'route' | undefined {
  const [name, word] = rest;
  if (rest.length !== 2 || name === undefined || word === undefined || !/^[\x21-\x7e]{1,254}$/.test(name))
    return undefined;
  const upper = word.toUpperCase();
  if (upper === 'X' || upper === 'X_AAAA') return 'route';
  const type = types.find((known) => known === upper);
  return type === undefined ? undefined : { name: name.toLowerCase().replace(/(?<=.)\.$/, ''), type };
}

function* noRoutes(): Generator<string, 'failed'> {
  yield 'dns_cache: types X and X_AAAA are not implemented yet; `domain NAME` shows a route\n';
  return 'failed';
}

const row = (label: string, width: number, value: number | string): string => `${label.padStart(width)}: ${value}\n`;

function data(record: DnsRecord): string {
  switch (record.type) {
    case 'A':
    case 'AAAA':
      return record.address;
    case 'MX':
      return `${record.preference} ${record.host}`;
    case 'CNAME':
    case 'PTR':
      return record.name;
    case 'TXT':
      return record.strings
        .map((bytes) => `"${Buffer.from(bytes).toString('latin1').replaceAll(/["\\]/g, '\\$&')}"`)
        .join(' ');
  }
}
