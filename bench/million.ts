/**
 * What do a million waiting messages cost, and how long does a restart with them take?
 * Run: npm run build && node bench/million.ts [--count 1000000] [--domains 1000] [--rate 500] [--kill] [--directory DIR]
 *
 * The real server with delivery suspended takes so many messages of 1 KB over loopback. Then it is stopped (`--kill`: with
 * SIGKILL) and started again on the same spool, while a sender goes on at `--rate` messages a second. Everything that the
 * spool holds was just written, so its files are in the page cache.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { eventually, freePort, home } from '../test/end-to-end/harness.ts';
import { holdingConfiguration } from './load/holding.ts';
import { fileSystem, introduce } from './load/machine.ts';
import { type Paced, paced } from './load/paced.ts';
import { LeanSession, textOf } from './load/session.ts';
import { ended, greets } from './load/tools.ts';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '1000000' },
    domains: { type: 'string', default: '1000' },
    rate: { type: 'string', default: '500' },
    kill: { type: 'boolean', default: false },
    directory: { type: 'string', default: '/var/tmp' },
  },
});
const count = Number(values.count);
const domains = Number(values.domains);
const rate = Number(values.rate);
const BYTES = 1024;
const SESSIONS = 50;
/** Seconds that a load lasts while nothing else happens. */
const CALM = 8;
/** Targets of the plan of speed. */
const MOST_BYTES_EACH = 600;
const MOST_SECONDS_TO_ACCEPT = 2;
const MOST_SECONDS_TO_LOAD = 10;
const MOST_TIMES_SLOWER = 2;

introduce(`million: ${count} waiting messages of ${BYTES} bytes for ${domains} domains`);
mkdirSync(values.directory, { recursive: true });
const directory = mkdtempSync(join(resolve(values.directory), 'impetus-million-'));
console.log(`spool on ${fileSystem(directory)}\n`);
const port = await freePort();
writeFileSync(join(directory, 'impetus.conf'), holdingConfiguration(directory, port));
mkdirSync(join(directory, 'log'));

let server: ChildProcess | undefined;
process.once('SIGINT', () => process.exit(1));
process.on('exit', () => {
  server?.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

server = launch();
await eventually('the server greets', () => greets(port), 30_000);
const empty = resident();
const filled = await fill();
// What was garbage while it took so many may go.
await slept(5000);
const full = resident();
say(`taken: ${filled.toFixed(0)} messages a second`);
target('resident memory of each, above the empty server, bytes', ((full - empty) * 1e6) / count, MOST_BYTES_EACH);
say(`resident: ${empty.toFixed(0)} MB empty, ${full.toFixed(0)} MB full`);
const before = await load(CALM);
say(`reply to the dot with all of them waiting, at ${before.rate.toFixed(0)}/s: ${inWords(before)}`);

const stopping = performance.now();
await ended(server, values.kill ? 'SIGKILL' : 'SIGTERM');
say(`stopped in ${seconds(stopping)} s${values.kill ? ' with SIGKILL' : ''}`);

const starting = performance.now();
const seen = paniclog().length;
server = launch();
await eventually('the server greets', () => greets(port), 120_000);
await once();
target('seconds from the start to the first 250 for a message', Number(seconds(starting)), MOST_SECONDS_TO_ACCEPT);
let loaded: { readonly messages: number; readonly seconds: number } | undefined;
const watch = setInterval(() => {
  const found = /(\d+) messages came back from the spool/.exec(paniclog().slice(seen))?.[1];
  if (found !== undefined) loaded ??= { messages: Number(found), seconds: Number(seconds(starting)) };
}, 20);
const during = await load(300, () => loaded !== undefined);
clearInterval(watch);
target('seconds from the start until all are loaded', loaded?.seconds ?? Number.NaN, MOST_SECONDS_TO_LOAD);
say(`loaded: ${loaded?.messages} messages`);
const least = count + before.messages;
if (loaded !== undefined && loaded.messages < least) throw new Error(`${least - loaded.messages} messages are missing`);
say(`reply to the dot while loading, at ${during.rate.toFixed(0)}/s: ${inWords(during)}`);
target('p99 while loading, times that before', during.p99 / before.p99, MOST_TIMES_SLOWER);
await slept(5000);
target('resident memory of each after the restart, bytes', ((resident() - empty) * 1e6) / count, MOST_BYTES_EACH);
const after = await load(CALM);
say(`reply to the dot afterwards: ${inWords(after)}`);
await ended(server, 'SIGTERM');
process.exit(0);

/** @returns messages a second */
function fill(): Promise<number> {
  const text = textOf(BYTES);
  const began = performance.now();
  let begun = 0;
  let taken = 0;
  let told = began;
  const envelope = (): string => {
    const n = begun++;
    return `MAIL FROM:<sender${n}@src.test>\r\nRCPT TO:<recipient${n}@d${n % domains}.test>\r\nDATA\r\n`;
  };
  return new Promise((settle, reject) => {
    for (let i = 0; i < Math.min(SESSIONS, count); i++) {
      new LeanSession(port, {
        greeted: (session) => session.envelope(envelope()),
        ready: (session) => session.text(text, begun < count ? envelope() : undefined),
        taken: (session) => {
          taken++;
          const now = performance.now();
          if (now - told > 10_000) {
            told = now;
            say(`${taken} of ${count}, about ${(((now - began) / 1000 / taken) * (count - taken)).toFixed(0)} s to go`);
          }
          if (taken === count) settle((count * 1000) / (now - began));
          if (!session.busy) session.quit();
        },
        over: (_session, why) => reject(why),
      });
    }
  });
}

function load(most: number, enough?: () => boolean): Promise<Paced> {
  const pace = { port, rate, seconds: most, bytes: BYTES, sessions: 20, once: false };
  return paced(enough === undefined ? pace : { ...pace, enough });
}

/** One message, to see whether mail is taken. */
async function once(): Promise<void> {
  await paced({ port, rate: 1000, seconds: 0.001, bytes: BYTES, sessions: 1, once: true });
}

function launch(): ChildProcess {
  const output = openSync(join(directory, 'output'), 'a');
  const words = ['start', '-c', join(directory, 'impetus.conf')];
  const child = spawn(join(home, 'bin/impetus'), words, { stdio: ['ignore', output, output], cwd: directory });
  closeSync(output);
  child.on('exit', (code) => {
    if (code !== null && code !== 0) console.error(readFileSync(join(directory, 'output'), 'utf8').slice(-2000));
  });
  return child;
}

/** MB of the server. */
function resident(): number {
  const text = readFileSync(`/proc/${server?.pid}/status`, 'latin1');
  return (Number(/^VmRSS:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0) * 1024) / 1e6;
}

function paniclog(): string {
  const path = join(directory, 'log/paniclog.ec');
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

function target(what: string, measured: number, most: number): void {
  const figure = measured >= 100 ? measured.toFixed(0) : measured.toFixed(2);
  say(`${what}: ${figure} (at most ${most}: ${measured <= most ? 'met' : 'NOT MET'})`);
}

function inWords({ p50, p99, p999, most, messages }: Paced): string {
  const [half, nearly, all, longest] = [p50, p99, p999, most].map((millis) => millis.toFixed(2));
  return `p50 ${half}, p99 ${nearly}, p99.9 ${all}, longest ${longest} ms of ${messages}`;
}

function say(text: string): void {
  console.log(text);
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(2);
}

function slept(millis: number): Promise<void> {
  return new Promise((settle) => {
    setTimeout(settle, millis);
  });
}
