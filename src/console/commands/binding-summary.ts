import type { Counters } from '../../events/index.ts';
import type { MailQueue } from '../../queue/index.ts';
import type { Call, Command, Output } from '../command.ts';
import { countConnections } from '../tally.ts';
import { bindingFigures } from './summary.ts';

export const bindingSummary: Command = {
  words: 'binding summary',
  summary: 'sizes, counts and rates of each binding',
  usage: 'binding summary [BINDING|SLOT|group:GROUP]',
  *run({ rest, house }): Output {
    const wanted = rest[0];
    if (rest.length > 1) return 'not understood';
    const all = yield* measured(house);
    if (wanted === undefined) {
      for (const each of all) yield* printed(house, each, false);
      return 'ok';
    }
    if (wanted.startsWith('group:')) return yield* ofGroup(house, all, wanted.slice('group:'.length));
    const one = all.find(({ name }) => name === wanted) ?? (/^\d{1,6}$/.test(wanted) ? all[Number(wanted)] : undefined);
    if (one === undefined) {
      yield `Binding ${wanted} not found.\n`;
      return 'failed';
    }
    yield* printed(house, one, false);
    return 'ok';
  },
};

interface Measured {
  readonly name: string;
  readonly group: string;
  connections: number;
  active: number;
  total: number;
}

/** The configured bindings in their order, then those that only old mail still knows. */
function* measured({ configuration, queues, delivery }: Call['house']): Generator<string, Measured[]> {
  const found = new Map<string, Measured>();
  const entry = (name: string, group: string): Measured => {
    let one = found.get(name);
    if (one === undefined) {
      one = { name, group, connections: 0, active: 0, total: 0 };
      found.set(name, one);
    }
    return one;
  };
  for (const { name, group } of configuration.current.bindings()) entry(name, group);
  for (const queue of queues.all()) {
    add(entry(queue.binding, queue.group), queue);
    yield '';
  }
  for (const [name, count] of countConnections(delivery, 'binding')) entry(name, 'default').connections = count;
  return [...found.values()];
}

function add(sum: Measured, queue: MailQueue): void {
  sum.active += queue.active;
  sum.total += queue.active + queue.delayed + queue.inFlight;
}

function* printed(house: Call['house'], one: Measured, withGroup: boolean): Generator<string> {
  yield `Summary Statistics For Binding ${one.name}${withGroup ? ` in Binding Group ${one.group}` : ''}\n`;
  yield* bindingFigures(house, one, countsOf(house, one));
}

const nothing: Counters = { received: 0, delivered: 0, failed: 0, transient: 0 };

const countsOf = ({ statistics }: Call['house'], { name }: Measured): Counters => statistics.binding(name) ?? nothing;

function* ofGroup(house: Call['house'], all: readonly Measured[], group: string): Generator<string, 'ok' | 'failed'> {
  const members = all.filter((one) => one.group === group);
  if (members.length === 0) {
    yield `Binding Group ${group} not found.\n`;
    return 'failed';
  }
  const sizes = { connections: 0, active: 0, total: 0 };
  const counts = { ...nothing };
  for (const one of members) {
    yield* printed(house, one, true);
    const of = countsOf(house, one);
    sizes.connections += one.connections;
    sizes.active += one.active;
    sizes.total += one.total;
    counts.delivered += of.delivered;
    counts.failed += of.failed;
    counts.received += of.received;
    counts.transient += of.transient;
  }
  yield `\n${'*'.repeat(44)}\nSummary Statistics For Binding Group ${group}\n`;
  yield* bindingFigures(house, sizes, counts);
  return 'ok';
}
