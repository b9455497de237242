import { type Domain, type Millis, parseDomain } from '../../base/index.ts';
import type { MailQueue } from '../../queue/index.ts';
import type { Call, Command, Output } from '../command.ts';
import type { OutboundConnection, Route, RouteAddress } from '../house.ts';
import { decimals, right } from '../layout.ts';
import { queuesOf } from '../tally.ts';

export const domain: Command = {
  words: 'domain',
  summary: 'route, queues and connections of one routing domain',
  usage: 'domain DOMAIN\ndomain all',
  *run(call): Output {
    const { rest, house } = call;
    const name = rest.length === 1 ? parseDomain(rest[0] ?? '') : undefined;
    if (name === undefined) return 'not understood';
    const queues = yield* queuesOf(house.queues, { domain: name });
    const route = house.delivery.route(name);
    const connections = [...house.delivery.connections()].filter((connection) => connection.domain === name);
    if (route === undefined && queues.length === 0 && connections.length === 0) {
      yield `Domain '${name}' is not known.\n`;
      return 'failed';
    }
    yield* stanza(call, name);
    yield* routeLines(name, route);
    yield* statistics(queues);
    yield* connectionLines(queues, connections, house.clock.now());
    return 'ok';
  },
};

function* stanza(call: Call, name: Domain): Generator<string> {
  const text = call.config.matching('domain', name);
  if (text !== undefined) yield text.endsWith('\n') ? text : `${text}\n`;
}

function* routeLines(name: Domain, route: Route | undefined): Generator<string> {
  if (route === undefined) {
    yield `Domain '${name}' is not in the routing cache\n`;
    return;
  }
  yield `Domain '${name}' has ${route.mxs.length} MXs and a TTL of ${Math.floor(route.ttlSeconds)} seconds\n`;
  for (const mx of route.mxs) {
    yield `  [${mx.preference} ${mx.host} TTL:${Math.floor(mx.ttlSeconds)}]\n`;
    for (const address of mx.addresses) yield addressLine(address);
    for (const other of mx.alsoUsedBy) yield `\t\t(also used by ${other.domain} pref ${other.preference})\n`;
  }
  yield `Domain has had ${route.consecutiveFailures} consecutive connection failures\n`;
}

const marks = { usable: '        ', next: ' =>     ', failed: ' *      ' } as const;

function addressLine(address: RouteAddress): string {
  const averages = `(${decimals(address.connectMillis, 2)}ms con ${decimals(address.deliverMillis, 2)}ms dlv)`;
  const failure =
    address.secondsSinceFailure === undefined ? '' : ` ${decimals(address.secondsSinceFailure, 2)}s since failure`;
  return `${marks[address.state]}[${address.ip}]:${address.port} ${address.family} ${averages}${failure}\n`;
}

function* statistics(queues: readonly MailQueue[]): Generator<string> {
  const sum = { active: 0, delayed: 0, received: 0, delivered: 0, failed: 0, transient: 0 };
  yield '\nStatistics:\n-----------\n\n';
  for (const { binding, active, delayed, counters } of queues) {
    yield `Binding:${right(binding, 21)}\n`;
    yield pairLine('Receptions:', counters.received);
    yield pairLine('Deliveries:', counters.delivered);
    yield pairLine('Failures (5xx):', counters.failed);
    yield pairLine('Trans. Failures (4xx):', counters.transient);
    yield pairLine('Active Queue:', active);
    yield `${pairLine('Delayed Queue:', delayed)}\n`;
    sum.active += active;
    sum.delayed += delayed;
    sum.received += counters.received;
    sum.delivered += counters.delivered;
    sum.failed += counters.failed;
    sum.transient += counters.transient;
  }
  yield `\t${'-'.repeat(39)}\n\nServer Totals:\n--------------\n`;
  yield totalLine('Active Queue:', sum.active, 31);
  yield totalLine('Delayed Queue:', sum.delayed, 31);
  yield totalLine('Receptions:', sum.received, 27);
  yield totalLine('Deliveries:', sum.delivered, 27);
  yield totalLine('Failures (5xx):', sum.failed, 27);
  yield totalLine('Failures (4xx):', sum.transient, 27);
}

const pairLine = (label: string, value: number): string => `\t${right(label, 25)}${right(value, 21)}\n`;
const totalLine = (label: string, value: number, width: number): string =>
  `\t${label}${right(value, width - label.length)}\n`;

function* connectionLines(
  queues: readonly MailQueue[],
  connections: readonly OutboundConnection[],
  now: Millis,
): Generator<string> {
  yield `Active Connections: ${connections.length}\n`;
  const bindings = new Set<string>(queues.map(({ binding }) => binding));
  for (const { binding } of connections) bindings.add(binding);
  let index = 0;
  for (const binding of bindings) {
    yield `[Binding: ${binding}]\n`;
    for (const connection of connections) {
      if (connection.binding !== binding) continue;
      index++;
      const address = connection.family === 'Unix' ? connection.address : right(connection.address, 15);
      const millis = decimals(Math.max(0, now - connection.sinceMillis), 2);
      yield `  [${right(index, 2)}] FD: ${right(connection.number, 6)}  IP: ${address}  State: ${connection.state} (${millis}ms)\n`;
    }
  }
}

/** `refresh domain` and `dig` act on routes; answers of the DNS are another cache, see `dns_cache`. */
export const refreshDomain: Command = {
  words: 'refresh domain',
  summary: 'forget a route and look it up again',
  usage: 'refresh domain DOMAIN|all',
  *run({ rest, house }): Output {
    if (rest.length === 1 && rest[0] === 'all') {
      house.delivery.refreshAll();
      yield 'All domains refreshed.\n';
      return 'ok';
    }
    const name = rest.length === 1 ? parseDomain(rest[0] ?? '') : undefined;
    if (name === undefined) return 'not understood';
    house.delivery.refresh(name);
    yield `${name} refreshed.\n`;
    return 'ok';
  },
};

export const dig: Command = {
  words: 'dig',
  summary: 'look up a route now',
  usage: 'dig DOMAIN',
  *run({ rest, house }): Output {
    const name = rest.length === 1 ? parseDomain(rest[0] ?? '') : undefined;
    if (name === undefined) return 'not understood';
    house.delivery.refresh(name);
    yield 'submitted\n';
    return 'ok';
  },
};
