import type { RecordType } from '../world.ts';

/** What the console and the metrics say about the resolver, counted since it was made. */
export interface ResolverStatistics {
  /** Questions sent to servers, each try counted, and those of them without an answer in time. */
  readonly queries: Readonly<Record<RecordType, number>>;
  readonly timeouts: Readonly<Record<RecordType, number>>;
  /** PTR questions by the tree they were asked in. */
  readonly arpa: { readonly ipv4: number; readonly ipv6: number };
  /** Questions that the rest of the house asked, and those of them that the cache answered. */
  readonly lookups: number;
  readonly hits: number;
  /** Answers taken, and datagrams that were none of ours or made no sense. */
  readonly responses: number;
  readonly bad: number;
  readonly peakMillis: number;
  readonly averageMillis: number;
  /** Names being asked for, or waiting to be. */
  readonly pending: number;
  /** Answers in the cache. */
  readonly cached: number;
}

export class Tally {
  readonly queries = perType();
  readonly timeouts = perType();
  readonly arpa = { ipv4: 0, ipv6: 0 };
  lookups = 0;
  hits = 0;
  responses = 0;
  bad = 0;
  #peak = 0;
  #sum = 0;

  asked(name: string, type: RecordType): void {
    this.queries[type]++;
    if (type !== 'PTR') return;
    if (name.endsWith('.in-addr.arpa')) this.arpa.ipv4++;
    else if (name.endsWith('.ip6.arpa')) this.arpa.ipv6++;
  }

  answered(millis: number): void {
    this.responses++;
    this.#sum += millis;
    if (millis > this.#peak) this.#peak = millis;
  }

  report(pending: number, cached: number): ResolverStatistics {
    return {
      queries: { ...this.queries },
      timeouts: { ...this.timeouts },
      arpa: { ...this.arpa },
      lookups: this.lookups,
      hits: this.hits,
      responses: this.responses,
      bad: this.bad,
      peakMillis: this.#peak,
      averageMillis: this.responses === 0 ? 0 : this.#sum / this.responses,
      pending,
      cached,
    };
  }
}

function perType(): Record<RecordType, number> {
  return { A: 0, AAAA: 0, MX: 0, TXT: 0, CNAME: 0, PTR: 0 };
}
