import { bindingName, CidrTable, type Domain, millis, parseCidr, parseEndpoint } from '../../src/base/index.ts';
import {
  configCommand,
  configSession,
  duration,
  integer,
  type LiveConfiguration,
  loadConfiguration,
  option,
} from '../../src/config/index.ts';
import { simWorld } from '../../src/world/sim/index.ts';
import { best, type Figures } from './figures.ts';

const connections = option('max_outbound_connections', integer);
const expiration = option('message_expiration', duration);
const listenerSessions = option('listener_sessions', integer);
const BINDING = bindingName('default');

/** Asking and loading, in this process and without a disk. */
export async function questions(figures: Figures, count: number): Promise<void> {
  await ofDomains(figures);
  await ofPeers(figures);
  await ofLoading(figures, count);
}

async function ofDomains(figures: Figures): Promise<void> {
  const literal = domains(10_000);
  const patterns = Array.from(
    { length: 100 },
    (_, index) => `Domain "/^(.*\\.)?p${index}\\.(com|co\\.[a-z]{2})$/" { Message_Expiration = ${index + 1} }\n`,
  ).join('');
  const plain = await load(literal);
  const view = plain.current.sending('default', BINDING, 'd7.example' as Domain);
  const million = 1_000_000;
  let sum = 0;
  const value = best(5, million, () => {
    for (let index = 0; index < million; index++) sum += view.get(connections);
  });
  figures.add('a value of a compiled view', value * 1e6, 'ns', 20);

  for (const [what, text, target] of [
    ['beside 10,000 literal stanzas', literal, 5],
    ['beside 100 regex stanzas more', literal + patterns, 100],
  ] as const) {
    let known = Number.POSITIVE_INFINITY;
    const times = { own: Number.POSITIVE_INFINITY, other: Number.POSITIVE_INFINITY };
    for (let round = 0; round < 5; round++) {
      // A generation without answers each time.
      const { current } = await load(text);
      const ask = (domain: string): number =>
        current.sending('default', BINDING, domain as Domain).get(connections) as number;
      times.own = Math.min(
        times.own,
        best(1, 10_000, () => {
          for (let index = 0; index < 10_000; index++) sum += ask(`d${index}.example`);
        }),
      );
      times.other = Math.min(
        times.other,
        best(1, 10_000, () => {
          for (let index = 0; index < 10_000; index++) sum += ask(`u${index}.example`);
        }),
      );
      known = Math.min(
        known,
        best(3, 100_000, () => {
          for (let index = 0; index < 100_000; index++) sum += ask('u9999.example');
        }),
      );
    }
    figures.add(`a new (binding, domain) with a stanza of its own, ${what}`, times.own * 1000, 'µs', target);
    figures.add(`a new (binding, domain) without one, ${what}`, times.other * 1000, 'µs', target);
    figures.add(`the same asked again, ${what}`, known * 1000, 'µs');
  }
  if (sum === 0) throw new Error('nothing was asked');
}

async function ofPeers(figures: Figures): Promise<void> {
  const blocks = Array.from({ length: 100_000 }, (_, index) => blockOf(index));
  const table = new CidrTable<number>();
  for (const [index, block] of blocks.entries()) {
    const cidr = parseCidr(block);
    if (cidr) table.add(cidr, index);
  }
  const clients = Array.from({ length: 100_000 }, (_, index) => clientOf((index * 7919) % 110_000));
  let found = 0;
  const lookup = best(5, clients.length, () => {
    for (const client of clients) found += table.matches(client).length;
  });
  figures.add('a client looked up among 100,000 CIDR blocks', lookup * 1000, 'µs', 1);
  const peers = blocks.map((block, index) => `Peer "${block}" { Listener_Sessions = ${(index % 50) + 1} }\n`);
  const endpoint = parseEndpoint('127.0.0.1:25');
  if (endpoint.kind === 'error') throw new Error(endpoint.text);
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 3; round++) {
    const { current } = await load(`ESMTP_Listener { Listen "127.0.0.1:25" { }\n${peers.join('')} }`);
    const cost = best(1, clients.length, () => {
      for (const client of clients)
        found += current.receiving('esmtp_listener', endpoint, client).get(listenerSessions);
    });
    least = Math.min(least, cost);
  }
  figures.add('the view of a new client among 100,000 Peer stanzas', least * 1000, 'µs');
  if (found === 0) throw new Error('nobody was found');
}

async function ofLoading(figures: Figures, count: number): Promise<void> {
  const text = domains(count);
  let least = Number.POSITIVE_INFINITY;
  let configuration: LiveConfiguration | undefined;
  for (let round = 0; round < 3; round++) {
    const began = performance.now();
    configuration = await load(text);
    least = Math.min(least, performance.now() - began);
  }
  figures.add(`loading ${count} domain stanzas`, least / 1000, 's', (2 * count) / 100_000);
  if (!configuration) return;
  let began = performance.now();
  await configCommand(configuration, configSession(), 'set Message_Expiration 5');
  figures.add(`config set beside ${count} domain stanzas`, performance.now() - began, 'ms');
  began = performance.now();
  await configuration.reload();
  figures.add(`reloading ${count} domain stanzas, all in one go`, (performance.now() - began) / 1000, 's');
}

async function load(text: string): Promise<LiveConfiguration> {
  const { disk } = simWorld();
  await disk.makeDirectory('/etc');
  await disk.replace('/etc/impetus.conf', Buffer.from(text));
  return loadConfiguration({
    disk,
    clock: { date: () => millis(0) },
    searchPath: ['/etc'],
    declared: [connections, expiration, listenerSessions],
    modules: [],
  });
}

/** @param round another one gives every stanza another value */
export function domains(count: number, round = 0): string {
  return Array.from(
    { length: count },
    (_, index) =>
      `Domain "d${index}.example" { Max_Outbound_Connections = ${((index + round) % 50) + 1} Message_Expiration = 90 }\n`,
  ).join('');
}

/** Of /24, /28 and /32, as a list of neighbours has them. */
function blockOf(index: number): string {
  const prefix = [24, 28, 32][index % 3];
  return `${10 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}.0/${prefix}`;
}

function clientOf(index: number): string {
  return `${10 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}.${index % 7 === 0 ? 200 : 0}`;
}
