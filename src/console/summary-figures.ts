import type { House } from './house.ts';

/** What of the server the summary is made of. */
export interface SummarySource extends Pick<House, 'statistics' | 'delivery' | 'sessions' | 'names' | 'transmissions'> {
  readonly spool: Pick<House['spool'], 'statistics'>;
}

export interface QueueSizes {
  readonly active: number;
  readonly delayed: number;
  readonly total: number;
}

/** The summary under the names of `GET /stats/summary` (spec/http-api 10). */
export function summaryFigures(source: SummarySource, { active, delayed, total }: QueueSizes) {
  const { statistics, delivery, sessions, names, spool, transmissions } = source;
  const dns = names.counts;
  const totals = statistics.server;
  const rates = statistics.serverRates;
  return {
    OutboundConcurrency: delivery.outboundConcurrency,
    InboundConcurrency: sessions.inboundConcurrency,
    ActiveDomains: delivery.routes,
    ActiveQueueSize: active,
    DelayedQueueSize: delayed,
    TotalQueueSize: total,
    TransmissionsWaiting: transmissions.waiting,
    TransmissionsGenerating: transmissions.generating,
    DNSResolver: names.resolver,
    DNSAQueries: dns.queries.A,
    DNSATimeouts: dns.timeouts.A,
    DNSAAAAQueries: dns.queries.AAAA,
    DNSAAAATimeouts: dns.timeouts.AAAA,
    DNSMXQueries: dns.queries.MX,
    DNSMXTimeouts: dns.timeouts.MX,
    DNSTXTQueries: dns.queries.TXT,
    DNSTXTTimeouts: dns.timeouts.TXT,
    DNSQueryRate: rounded(queryRate(source)),
    DNSResponseTimePeak: Math.round(dns.peakMillis),
    DNSResponseTimeAverage: Math.round(dns.averageMillis),
    DNSRateLimiterEnabled: false,
    ResidentMessages: spool.statistics.residentBodies,
    DeliveredMessages: totals.delivered,
    FailedMessages: totals.failed,
    TransientFailures: totals.transient,
    RejectedMessages: totals.rejected,
    ReceivedMessages: totals.received,
    DeliveryRate: rounded(rates.delivery),
    ReceptionRate: rounded(rates.reception),
    RejectionRate: rounded(rates.rejection),
    RejectionPercentage: rounded(rates.rejectionPercentage),
    StatisticsLastReset: Math.floor(statistics.sinceReset),
    Uptime: Math.floor(statistics.uptime),
  };
}

const rounded = (value: number): number => Math.round(value * 100) / 100;

/** As the other rates: in the first second it is what there was so far. */
export function queryRate({ names, statistics }: Pick<House, 'names' | 'statistics'>): number {
  let queries = 0;
  for (const count of Object.values(names.counts.queries)) queries += count;
  return queries / Math.max(1, statistics.sinceReset);
}
