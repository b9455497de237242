import { domainList, type Option, optional, ownOption } from '../config/index.ts';
import { type Route, route } from '../http/index.ts';
import type { RecordType } from '../world/index.ts';
import { expositionText, type Family, histogram, type Sample } from './exposition.ts';
import type { ApiHouse } from './house.ts';
import { DELIVERY_BOUNDS } from './traffic.ts';
import { inTurns } from './turns.ts';

export const metricsDomains = ownOption('metrics_domains', optional(domainList), {
  scopes: ['global'],
  initial: undefined,
  summary: 'domains whose queues /metrics shows one by one; without it only sums are shown',
});

export const apiOptions: readonly Option<unknown>[] = [metricsDomains];

export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Series of single domains at most, whatever `metrics_domains` lets through. */
const MOST_DOMAIN_SERIES = 2000;

export const metricsRoutes = (house: ApiHouse): readonly Route[] => [
  route({
    method: 'GET',
    path: '/metrics',
    summary: "counters and gauges in Prometheus' text format",
    tag: 'statistics',
    access: { kind: 'listener', grant: 'stats/view' },
    answer: { status: 200, summary: 'the metrics', type: 'text/plain' },
    run: async () => ({ kind: 'text', status: 200, type: METRICS_TYPE, text: await metricsText(house) }),
  }),
];

/** Everything that is measured (spec/logs-and-metrics 16). Names and labels are an interface: they only ever grow. */
export async function metricsText(house: ApiHouse): Promise<string> {
  return expositionText([...(await queueFamilies(house)), ...mailFamilies(house), ...serverFamilies(house)]);
}

async function queueFamilies({ queues, clock, global, transmissions }: ApiHouse): Promise<readonly Family[]> {
  const wanted = global().get(metricsDomains);
  const sum = { active: 0, delayed: 0, inflight: 0 };
  const domains: Sample[] = [];
  for await (const { active, delayed, inFlight, domain, binding } of inTurns(queues.all(), clock)) {
    sum.active += active;
    sum.delayed += delayed;
    sum.inflight += inFlight;
    if (wanted?.matches(domain) !== true || domains.length >= MOST_DOMAIN_SERIES) continue;
    for (const [queue, value] of Object.entries({ active, delayed, inflight: inFlight }))
      domains.push({ labels: { domain, binding, queue }, value });
  }
  return [
    {
      name: 'impetus_queue_messages',
      type: 'gauge',
      help: 'Messages in the queues, one for each recipient.',
      samples: Object.entries(sum).map(([queue, value]) => ({ labels: { queue }, value })),
    },
    {
      name: 'impetus_transmissions',
      type: 'gauge',
      help: 'Transmissions by HTTP whose messages are not all made.',
      samples: (['waiting', 'generating'] as const).map((state) => ({
        labels: { state },
        value: transmissions[state],
      })),
    },
    ...(domains.length === 0
      ? []
      : [
          {
            name: 'impetus_domain_queue_messages',
            type: 'gauge' as const,
            help: 'Messages in the queues of the domains that metrics_domains names.',
            samples: domains,
          },
        ]),
  ];
}

function mailFamilies({ traffic, delivery, sessions }: ApiHouse): readonly Family[] {
  const { received, delivered, transient, failed, rejected, bounces, deliveryTimes, deliverySeconds } = traffic;
  return [
    {
      name: 'impetus_messages_total',
      type: 'counter',
      help: 'What happened to messages, one for each recipient; transient counts each attempt, rejected each refusal.',
      samples: [
        ...[...new Map([['esmtp', 0], ...received])].map(([protocol, value]) => ({
          labels: { event: 'received', protocol },
          value,
        })),
        ...Object.entries({ delivered, transient, failed }).map(([event, value]) => ({
          labels: { event, protocol: 'smtp' },
          value,
        })),
        { labels: { event: 'rejected', protocol: 'esmtp' }, value: rejected },
      ],
    },
    {
      name: 'impetus_bounces_total',
      type: 'counter',
      help: 'Failed attempts by the class of the failure.',
      samples: [...bounces]
        .sort(([one], [other]) => one - other)
        .map(([bounceClass, value]) => ({ labels: { class: String(bounceClass) }, value })),
    },
    {
      name: 'impetus_delivery_seconds',
      type: 'histogram',
      help: 'Time from reception to delivery.',
      samples: histogram(DELIVERY_BOUNDS, deliveryTimes, deliverySeconds),
    },
    {
      name: 'impetus_connections',
      type: 'gauge',
      help: 'Open connections of mail.',
      samples: [
        { labels: { direction: 'inbound' }, value: sessions.inboundConcurrency },
        { labels: { direction: 'outbound' }, value: delivery.outboundConcurrency },
      ],
    },
  ];
}

function serverFamilies(house: ApiHouse): readonly Family[] {
  const { statistics: dns } = house.resolver;
  const spool = house.spool.statistics;
  const { used, limit } = house.memory();
  const byType = (counts: Readonly<Record<RecordType, number>>): readonly Sample[] =>
    Object.entries(counts).map(([type, value]) => ({ labels: { type }, value }));
  const gauge = (name: string, help: string, value: number): Family => ({
    name: `impetus_${name}`,
    type: 'gauge',
    help,
    samples: [{ value }],
  });
  return [
    {
      name: 'impetus_dns_queries_total',
      type: 'counter',
      help: 'Questions sent to DNS servers, each try counted.',
      samples: byType(dns.queries),
    },
    {
      name: 'impetus_dns_timeouts_total',
      type: 'counter',
      help: 'Questions to DNS servers without an answer in time.',
      samples: byType(dns.timeouts),
    },
    gauge('resident_messages', 'Bodies of messages in memory.', spool.residentBodies),
    gauge('spool_segments', 'Segment files of the spool.', spool.segments),
    gauge('spool_bytes', 'Bytes in the segments of the spool.', spool.bytes),
    gauge('spool_receptions', 'Receptions in the spool that are not done.', spool.receptions),
    gauge('spool_full', '1 while new mail is refused for want of room.', spool.full ? 1 : 0),
    gauge(
      'eventloop_lag_seconds',
      'How late the event loop was at most within the last seconds.',
      house.eventLoopLag(),
    ),
    gauge('memory_bytes', 'Memory that the process uses.', used),
    gauge('memory_limit_bytes', 'Memory that the process may use; 0 when nobody knows.', limit),
    gauge('uptime_seconds', 'Time since the start.', house.statistics.uptime),
    gauge('ready', '1 when the server should get traffic.', house.unready().length === 0 ? 1 : 0),
    {
      name: 'impetus_build_info',
      type: 'gauge',
      help: 'Always 1; the version is in the label.',
      samples: [{ labels: { version: house.product.version }, value: 1 }],
    },
  ];
}
