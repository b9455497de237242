import type { Call, Command, Output } from '../command.ts';
import { right } from '../layout.ts';
import { countConnections } from '../tally.ts';

/** `active`, `delayed`, the same on one binding, and `domain all`: one line for each routing domain. */
export const domainLines: readonly Command[] = [
  overThreshold('active', 'active'),
  overThreshold('delayed', 'delayed'),
  onBinding('active'),
  onBinding('delayed'),
  everyDomain('domain all'),
  everyDomain('domains'),
];

function overThreshold(words: string, which: 'active' | 'delayed'): Command {
  return {
    words,
    summary: `domains with more than N messages in their ${which} queue`,
    usage: `${words} N`,
    *run({ rest, house }): Output {
      const least = threshold(rest[0]);
      if (rest.length !== 1 || least === undefined) return 'not understood';
      yield* listOver(house, which, least, undefined);
      return 'ok';
    },
  };
}

function onBinding(which: 'active' | 'delayed'): Command {
  return {
    words: `binding ${which}`,
    summary: `domains of one binding with more than N messages in their ${which} queue`,
    usage: `binding ${which} BINDING N`,
    *run({ rest, house }): Output {
      const binding = rest[0];
      const least = threshold(rest[1]);
      if (rest.length !== 2 || binding === undefined || least === undefined) return 'not understood';
      yield* listOver(house, which, least, binding);
      return 'ok';
    },
  };
}

function everyDomain(words: string): Command {
  return {
    words,
    summary: 'every routing domain that has queues',
    usage: words,
    *run({ rest, house }): Output {
      if (rest.length > 0) return 'not understood';
      const { domains, total } = yield* gathered(house, undefined);
      yield 'Domain summary:\n';
      for (const line of sorted(domains)) yield domainLine(line);
      yield `Totals: C: ${right(total.connections, 3)}${counts(total)}\n`;
      return 'ok';
    },
  };
}

const threshold = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined;

/** The last line sums over all domains, also those that are not shown. */
function* listOver(
  house: Call['house'],
  which: 'active' | 'delayed',
  least: number,
  binding: string | undefined,
): Generator<string> {
  const { domains, total } = yield* gathered(house, binding);
  for (const line of sorted(domains)) if (line[which] > least) yield domainLine(line);
  yield `${right('Total:', 38)}  C: ${right(total.connections, 2)}${counts(total)}\n`;
}

interface Line {
  readonly domain: string;
  connections: number;
  active: number;
  delayed: number;
  sent: number;
}

function* gathered(
  house: Call['house'],
  binding: string | undefined,
): Generator<string, { domains: Map<string, Line>; total: Line }> {
  const connections = countConnections(house.delivery, 'domain', binding);
  const total: Line = { domain: '', connections: 0, active: 0, delayed: 0, sent: 0 };
  for (const count of connections.values()) total.connections += count;
  const domains = new Map<string, Line>();
  for (const queue of house.queues.all()) {
    yield '';
    if (binding !== undefined && queue.binding !== binding) continue;
    let line = domains.get(queue.domain);
    if (line === undefined) {
      line = { domain: queue.domain, connections: connections.get(queue.domain) ?? 0, active: 0, delayed: 0, sent: 0 };
      domains.set(queue.domain, line);
    }
    for (const sum of [line, total]) {
      sum.active += queue.active;
      sum.delayed += queue.delayed;
      sum.sent += queue.counters.delivered;
    }
  }
  return { domains, total };
}

const sorted = (domains: Map<string, Line>): Line[] =>
  [...domains.values()].sort((one, other) => (one.domain < other.domain ? -1 : 1));

const domainLine = (line: Line): string =>
  `Domain: ${right(line.domain, 30)}  C: ${right(line.connections, 2)}${counts(line)}\n`;

const counts = ({ active, delayed, sent }: Line): string =>
  `  A: ${right(active, 6)}  D: ${right(delayed, 5)}  S:${right(sent, 6)}`;
