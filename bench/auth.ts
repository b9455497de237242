/**
 * How many sessions can log in a second? Each is a connection of its own: banner, EHLO, AUTH PLAIN against a file of a
 * thousand users, QUIT. First a hundred at once without disk and network; then fifty at once over sockets of this machine
 * against a server that was started for it. What the login costs is the ratio to sessions without one against the same
 * server; what the server costs is the ratio to one of Node's that says the same replies to whatever it is sent. The three
 * take turns; the load has a process of its own, and all share the machine.
 * Run: npm run build && node bench/auth.ts [--rounds N] [--seconds N]
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { MailIn, type Peer } from '../test/dialogues/mail-in.ts';
import { eventually, freePort, listens, Running, Scratch, ServerProcess } from '../test/end-to-end/harness.ts';
import { introduce } from './load/machine.ts';
import { median } from './load/results.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, seconds: { type: 'string', default: '5' } },
});
const rounds = Number(values.rounds);
const SESSIONS = 10_000;
const IN_MEMORY_AT_ONCE = 100;
const AT_ONCE = 50;
/** Sessions a second with AUTH PLAIN from a file, over sockets. */
const WANTED = 2000;

const users = Array.from({ length: 1000 }, (_, index) => `user${index}:secret${index}\n`).join('');

introduce(`auth: whole sessions with AUTH PLAIN from a file of 1000 users`);
console.log(`${SESSIONS} sessions, ${IN_MEMORY_AT_ONCE} at once, without disk and network:`);
for (let round = 0; round < 3; round += 1) console.log(`${Math.round(await inMemory())} sessions a second`);
console.log(`\n${AT_ONCE} at once over loopback, ${rounds} rounds of ${values.seconds} s each:`);
await overSockets();

async function inMemory(): Promise<number> {
  const house = new MailIn(
    { smtp_extensions: ['ENHANCEDSTATUSCODES', 'AUTH PLAIN'], authplainparameters: { uri: 'file:///users' } },
    new Map([['/users', users]]),
  );
  const login = (index: number): string =>
    `AUTH PLAIN ${Buffer.from(`\0user${index % 1000}\0secret${index % 1000}`).toString('base64')}\r\n`;
  const start = performance.now();
  for (let session = 0; session < SESSIONS; session += IN_MEMORY_AT_ONCE) {
    const peers: Peer[] = [];
    for (let index = 0; index < IN_MEMORY_AT_ONCE; index += 1) {
      const peer = house.greeted();
      peer.hears();
      peer.sends(login(session + index));
      peers.push(peer);
    }
    await new Promise((resolve) => setImmediate(resolve));
    for (const peer of peers) {
      if (!peer.hears().startsWith('235 ')) throw new Error('a login has failed');
      peer.sends('QUIT\r\n');
    }
  }
  return SESSIONS / ((performance.now() - start) / 1000);
}

interface Side {
  readonly name: string;
  readonly port: number;
  readonly kind: 'login' | 'plain';
  readonly pid: number;
  readonly rates: number[];
  /** Milliseconds of the server's processor time for a session. */
  readonly costs: number[];
}

async function overSockets(): Promise<void> {
  using scratch = new Scratch();
  const file = join(scratch.path, 'users');
  writeFileSync(file, users, { mode: 0o600 });
  await using server = await ServerProcess.start({
    directory: scratch.path,
    sink: 1,
    more: `ESMTP_Listener {
  SMTP_Extensions = ( ENHANCEDSTATUSCODES "AUTH PLAIN" )
  AuthPlainParameters = [ uri = "file://${file}" ]
}`,
  });
  const canned = await freePort();
  await using bare = new Running(process.execPath, [
    join(import.meta.dirname, 'load/canned.ts'),
    String(canned),
    'login',
  ]);
  await eventually('the bare server', () => listens(canned));
  const side = (name: string, port: number, kind: Side['kind'], pid: number): Side => ({
    ...{ name, port, kind, pid },
    rates: [],
    costs: [],
  });
  const login = side('with AUTH PLAIN', server.port, 'login', server.process.pid);
  const without = side('without a login', server.port, 'plain', server.process.pid);
  const limit = side('a bare server of Node', canned, 'login', bare.pid);
  const sides = [login, without, limit];
  for (const each of sides) await sessions(each, 1);
  for (let round = 1; round <= rounds; round += 1) {
    for (const each of sides) {
      const before = processorMillis(each.pid);
      const seconds = Number(values.seconds);
      const { rate, whole } = await sessions(each, seconds);
      each.rates.push(rate);
      each.costs.push((processorMillis(each.pid) - before) / whole);
    }
    const told = sides.map(({ name, rates, costs }) => `${name} ${inWords(rates.at(-1), costs.at(-1))}`);
    console.log(`${round}: ${told.join('; ')}`);
  }
  console.log('\nmedians (lowest–highest):');
  for (const { name, rates, costs } of sides)
    console.log(
      `${name}: ${inWords(median(rates), median(costs))} (${Math.min(...rates).toFixed(0)}–${Math.max(...rates).toFixed(0)})`,
    );
  const than = (other: Side): string =>
    (median(login.rates.map((rate, round) => rate / (other.rates[round] ?? rate))) ?? 0).toFixed(2);
  console.log(`with AUTH PLAIN: ${than(without)} of those without a login, ${than(limit)} of the bare server's`);
  const met = (median(login.rates) ?? 0) >= WANTED;
  console.log(`wanted: at least ${WANTED} a second: ${met ? 'met' : 'NOT MET'}`);
  if (!met) process.exitCode = 1;
}

function inWords(rate = 0, cost = 0): string {
  return `${rate.toFixed(0)}/s at ${cost.toFixed(3)} ms`;
}

async function sessions(
  { port, kind }: Side,
  seconds: number,
): Promise<{ readonly rate: number; readonly whole: number }> {
  const program = join(import.meta.dirname, 'load/login-sessions.ts');
  const { code, output, errors } = await new Running(process.execPath, [
    program,
    ...[port, AT_ONCE, seconds, kind].map(String),
  ]).ended;
  if (code !== 0) throw new Error(`the sessions ended with ${code}: ${errors}`);
  const [whole = 0, rate = 0] = output.split(' ').map(Number);
  return { whole, rate };
}

/** User and system time of a process with all its threads, in the hundredths of a second that Linux counts. */
function processorMillis(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
