import type { NamesView } from '../console/index.ts';
import type { RecordType, Resolver, ResolverStatistics } from '../world/index.ts';

/** What a console may see of the resolver. `summary reset` is a line drawn under the counts, which go on. */
export function namesView(names: Resolver): NamesView {
  let before: ResolverStatistics | undefined;
  const since = (now: number, then: number | undefined): number => now - (then ?? 0);
  const each = (
    now: Readonly<Record<RecordType, number>>,
    then: Readonly<Record<RecordType, number>> | undefined,
  ): Record<RecordType, number> => ({
    A: since(now.A, then?.A),
    AAAA: since(now.AAAA, then?.AAAA),
    MX: since(now.MX, then?.MX),
    TXT: since(now.TXT, then?.TXT),
    CNAME: since(now.CNAME, then?.CNAME),
    PTR: since(now.PTR, then?.PTR),
  });
  return {
    resolver: 'node',
    cached(name, type) {
      const answer = names.lookupCached(name, type);
      if (answer === undefined) return undefined;
      return { answer, secondsLeft: answer.kind === 'failed' ? 0 : answer.ttl };
    },
    submit(name, type) {
      void names.lookup(name, type);
    },
    get counts() {
      const now = names.statistics;
      return {
        ...now,
        queries: each(now.queries, before?.queries),
        timeouts: each(now.timeouts, before?.timeouts),
        arpa: { ipv4: since(now.arpa.ipv4, before?.arpa.ipv4), ipv6: since(now.arpa.ipv6, before?.arpa.ipv6) },
        responses: since(now.responses, before?.responses),
        bad: since(now.bad, before?.bad),
        lookups: since(now.lookups, before?.lookups),
        hits: since(now.hits, before?.hits),
      };
    },
    reset() {
      const { queries, timeouts, arpa, ...rest } = names.statistics;
      before = { ...rest, queries: { ...queries }, timeouts: { ...timeouts }, arpa: { ...arpa } };
    },
  };
}
