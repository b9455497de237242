import type { Counters } from '../../events/index.ts';
import type { Command, Output } from '../command.ts';
import type { House } from '../house.ts';
import { decimals, figure } from '../layout.ts';
import { queryRate, summaryFigures } from '../summary-figures.ts';
import { allAtOnce, sumQueues } from '../tally.ts';

export const summary: Command = {
  words: 'summary',
  summary: 'queue sizes, counts and rates of the whole server',
  usage: 'summary',
  *run({ rest, house }): Output {
    if (rest.length > 0) return 'not understood';
    const { active, delayed, total } = yield* sumQueues(house.queues);
    const { statistics, delivery, sessions, names, transmissions } = house;
    const dns = names.counts;
    const totals = statistics.server;
    yield 'Summary Statistics\n';
    yield figure('Outbound Concurrency', delivery.outboundConcurrency, '', 7);
    yield figure('Inbound Concurrency', sessions.inboundConcurrency, '', 7);
    yield figure('Active Domains', delivery.routes, '', 7);
    yield figure('Active Queue Size', active);
    yield figure('Delayed Queue Size', delayed);
    yield figure('Total Queue Size', total);
    yield figure('Transmissions Waiting', transmissions.waiting);
    yield figure('Transmissions Generating', transmissions.generating);
    yield figure('DNS Resolver', names.resolver);
    for (const type of ['A', 'AAAA', 'MX', 'TXT'] as const) {
      yield figure(`DNS ${type} Queries`, dns.queries[type]);
      yield figure(`DNS ${type} Timeouts`, dns.timeouts[type]);
    }
    yield figure('Pending DNS Queries', dns.pending);
    yield figure('Query Rate', decimals(queryRate(house), 2), 'queries/second');
    yield figure('DNS Response Time Peak', Math.round(dns.peakMillis), 'ms');
    yield figure('DNS Response Time Average', Math.round(dns.averageMillis), 'ms');
    yield figure('DNS Rate Limiter', 'disabled');
    yield figure('Successfully Delivered Messages', totals.delivered);
    yield figure('Failed Messages', totals.failed);
    yield figure('Rejected Messages', totals.rejected);
    yield figure('Received Messages', totals.received);
    yield figure('Delivery Rate', decimals(statistics.serverRates.delivery, 2), 'messages/second');
    yield figure('Reception Rate', decimals(statistics.serverRates.reception, 2), 'messages/second');
    yield figure('Statistics Last Reset', Math.floor(statistics.sinceReset), 'seconds');
    yield figure('Uptime', Math.floor(statistics.uptime), 'seconds');
    return 'ok';
  },
  json: ({ rest, house }) => (rest.length > 0 ? undefined : summaryFigures(house, allAtOnce(sumQueues(house.queues)))),
};

export const summaryReset: Command = {
  words: 'summary reset',
  summary: 'set counters and rates to zero',
  usage: 'summary reset',
  *run({ rest, house }): Output {
    if (rest.length > 0) return 'not understood';
    house.statistics.reset();
    house.names.reset();
    yield 'statistics cleared.\n';
    return 'ok';
  },
};

/** One binding, or the sum of a group, as `binding summary` prints it. */
export function* bindingFigures(
  house: House,
  sizes: { readonly connections: number; readonly active: number; readonly total: number },
  counts: Counters,
): Generator<string> {
  yield figure('Open Connections', sizes.connections, '', 7);
  yield figure('Active Queue Size', sizes.active);
  yield figure('Total Queue Size', sizes.total);
  yield figure('Successfully Delivered Messages', counts.delivered);
  yield figure('Failed Messages', counts.failed);
  yield figure('Received Messages', counts.received);
  // Bodies in memory are the spool's, shared by recipients of several bindings: nobody counts them by binding.
  yield figure('Resident Messages', '-');
  const rates = house.statistics.rates(counts);
  yield figure('Delivery Rate', decimals(rates.delivery, 2), 'messages/second');
  yield figure('Reception Rate', decimals(rates.reception, 2), 'messages/second');
  yield figure('Uptime', Math.floor(house.statistics.uptime), 'seconds');
}
