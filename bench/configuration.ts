/**
 * What does a big configuration cost: to load, to ask, to commit? Run: node bench/configuration.ts [STANZAS]
 *
 * 100,000 domain stanzas on one core of a small machine: 0.5 s to load, 5 µs for the first question about a domain with
 * a stanza of its own, 1 µs for one without, 0.02 µs for an answer that is known.
 */
import { bindingName, type Domain, millis } from '../src/base/index.ts';
import { configCommand, configSession, duration, integer, loadConfiguration, option } from '../src/config/index.ts';
import { simWorld } from '../src/world/sim/index.ts';
import { introduce } from './load/machine.ts';

const count = Number(process.argv[2] ?? 100_000);
introduce(`configuration: ${count} domain stanzas`);
const connections = option('max_outbound_connections', integer);
const expiration = option('message_expiration', duration);
const { disk } = simWorld();
const stanza = (index: number): string =>
  `Domain "d${index}.example" { Max_Outbound_Connections = ${(index % 50) + 1} Message_Expiration = 90 }\n`;
await disk.makeDirectory('/etc');
await disk.replace(
  '/etc/impetus.conf',
  Buffer.from(Array.from({ length: count }, (_, index) => stanza(index)).join('')),
);

const load = () =>
  loadConfiguration({
    disk,
    clock: { date: () => millis(0) },
    searchPath: ['/etc'],
    declared: [connections, expiration],
    modules: [],
  });

function report(what: string, began: number, times = 1): void {
  const spent = performance.now() - began;
  console.log(
    `${what.padEnd(52)} ${times === 1 ? `${spent.toFixed(0)} ms` : `${((spent / times) * 1000).toFixed(3)} µs each`}`,
  );
}

let began = performance.now();
const configuration = await load();
report(`load ${count} domain stanzas`, began);

const ask = (domain: string): number =>
  configuration.current.sending('default', bindingName('default'), domain as Domain).get(connections);
const million = 1_000_000;
let sum = 0;

began = performance.now();
for (let index = 0; index < count; index++) sum += ask(`d${index}.example`);
report('first question, domains with stanzas', began, count);
began = performance.now();
for (let index = 0; index < million; index++) sum += ask(`u${index}.example`);
report('first question, domains without stanzas', began, million);
began = performance.now();
for (let index = 0; index < million; index++) sum += ask('u999999.example');
report('a known answer', began, million);
began = performance.now();
await configCommand(configuration, configSession(), 'set Message_Expiration 5');
report('config set', began);
began = performance.now();
await configuration.reload();
report('reload', began);
console.log(`(${sum}, heap ${(process.memoryUsage().heapUsed / 1e6).toFixed(0)} MB)`);
