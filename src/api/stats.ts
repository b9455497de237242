import { type Static, Type } from 'typebox';
import { parseAddress, parseDomain } from '../base/index.ts';
import { Largest, type QueueSizes, queueRow, summaryFigures, sumQueues } from '../console/index.ts';
import { json, type Route, route } from '../http/index.ts';
import type { ApiHouse } from './house.ts';
import { METRICS_TYPE, metricsText } from './metrics.ts';
import { inTurns } from './turns.ts';

const VIEW = { kind: 'listener', grant: 'stats/view' } as const;
const TAG = 'statistics';

/** Momentum shows so many queues unless it is asked for another number (manual: mailq). */
const USUAL_LIMIT = 20;

const Format = Type.Optional(
  Type.String({ description: 'prometheus: the text of /metrics instead; anything else: JSON' }),
);
const Count = Type.Integer({ minimum: 0 });

const Summary = Type.Object({
  OutboundConcurrency: Count,
  InboundConcurrency: Count,
  ActiveDomains: Count,
  ActiveQueueSize: Count,
  DelayedQueueSize: Count,
  TotalQueueSize: Count,
  DNSResolver: Type.String(),
  DNSAQueries: Count,
  DNSATimeouts: Count,
  DNSAAAAQueries: Count,
  DNSAAAATimeouts: Count,
  DNSMXQueries: Count,
  DNSMXTimeouts: Count,
  DNSTXTQueries: Count,
  DNSTXTTimeouts: Count,
  DNSQueryRate: Type.Number(),
  DNSResponseTimePeak: Count,
  DNSResponseTimeAverage: Count,
  DNSRateLimiterEnabled: Type.Boolean(),
  ResidentMessages: Count,
  DeliveredMessages: Count,
  FailedMessages: Count,
  TransientFailures: Count,
  RejectedMessages: Count,
  ReceivedMessages: Count,
  DeliveryRate: Type.Number(),
  ReceptionRate: Type.Number(),
  RejectionRate: Type.Number(),
  RejectionPercentage: Type.Number(),
  StatisticsLastReset: Count,
  Uptime: Count,
});

const QueueRow = Type.Object({
  group: Type.String(),
  binding: Type.String(),
  domain: Type.String(),
  aq: Count,
  dq: Count,
  receptions: Count,
  permfails: Count,
  transfails: Count,
  deliveries: Count,
});

const MailqQuery = Type.Object({
  domain: Type.Optional(Type.String({ description: 'queues of this domain only' })),
  binding: Type.Optional(Type.String({ description: 'queues of this binding only' })),
  ip: Type.Optional(Type.String({ description: '192.0.2.1 stands for the binding ip_192.0.2.1; binding wins' })),
  limit: Type.Optional(
    Type.String({ description: `most queues, largest first; absent or not above 0: ${USUAL_LIMIT}` }),
  ),
  format: Format,
});

/** The console's `summary` and `mailq` under Momentum's names (spec/http-api 10). */
export function statsRoutes(house: ApiHouse): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/stats/summary',
      summary: 'queue sizes, counts and rates of the whole server',
      tag: TAG,
      access: VIEW,
      query: Type.Object({ format: Format }),
      answer: { status: 200, summary: 'the figures', schema: Summary },
      run: async ({ query }) => {
        if (query.format === 'prometheus') return metrics(house);
        return json(summaryFigures(house, await sizes(house)));
      },
    }),
    route({
      method: 'DELETE',
      path: '/stats/summary',
      summary: 'sets counts and rates to zero; those of /metrics go on',
      tag: TAG,
      access: { kind: 'listener', grant: 'stats/modify' },
      answer: { status: 200, summary: 'they are', schema: Type.Object({ message: Type.String() }) },
      run: () => {
        house.statistics.reset();
        house.names.reset();
        return json({ message: 'statistics cleared' });
      },
    }),
    route({
      method: 'GET',
      path: '/stats/queues/mailq',
      summary: 'the largest queues',
      tag: TAG,
      access: VIEW,
      query: MailqQuery,
      answer: {
        status: 200,
        summary: 'the queues, largest first',
        schema: Type.Object({ QueueSummary: Type.Array(QueueRow) }),
      },
      run: async ({ query }) => {
        if (query.format === 'prometheus') return metrics(house);
        const wish = wished(query);
        const largest = new Largest(wish.limit);
        for await (const queue of inTurns(house.queues.all(), house.clock)) {
          if (wish.domain !== undefined && queue.domain !== wish.domain) continue;
          if (wish.binding !== undefined && queue.binding !== wish.binding) continue;
          largest.add(queue);
        }
        return { kind: 'pieces', status: 200, type: 'application/json; charset=utf-8', pieces: rows(largest) };
      },
    }),
  ];
}

/** There is no ceiling for `limit`, so the text is made as it is sent. */
function* rows(largest: Largest): Generator<string> {
  yield '{"QueueSummary":[';
  let first = true;
  for (const queue of largest.sorted()) {
    yield `${first ? '' : ','}${JSON.stringify(queueRow(queue))}`;
    first = false;
  }
  yield ']}';
}

function wished({ domain, binding, ip, limit }: Static<typeof MailqQuery>) {
  const count = Number.parseInt(limit ?? '', 10);
  return {
    domain: domain === undefined || domain === '' ? undefined : (parseDomain(domain) ?? domain.toLowerCase()),
    binding: binding || (ip ? `ip_${parseAddress(ip) ?? ip}` : undefined),
    limit: count > 0 ? count : USUAL_LIMIT,
  };
}

/** The sums of the console, with pauses in which others get their turn. */
export async function sizes({ queues, clock }: Pick<ApiHouse, 'queues' | 'clock'>): Promise<QueueSizes> {
  const walk = sumQueues(queues);
  for (let count = 1; ; count++) {
    const step = walk.next();
    if (step.done === true) return step.value;
    if (count % 500 === 0) await new Promise<void>((resolve) => clock.defer(resolve));
  }
}

const metrics = async (house: ApiHouse) =>
  ({ kind: 'text', status: 200, type: METRICS_TYPE, text: await metricsText(house) }) as const;
