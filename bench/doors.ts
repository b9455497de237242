/**
 * What do guards, bad clients and TLS cost the SMTP door? `npm run bench:doors -- [--only acl,slow,idle,tls] [--runs 3]
 * [--seconds 5] [--rate 1000] [--slow 5000] [--idle 10000] [--peers 1000] [--key rsa2048] [--out FILE] [--directory DIR]`
 *
 * The page goes to bench/results/doors.md with plots and raw figures beside it, and a copy to `--out`.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { home } from '../test/end-to-end/harness.ts';
import { type Answer, doorPage } from './load/door-page.ts';
import {
  Certificate,
  encrypted,
  guarded,
  idleMemory,
  type KeyKind,
  offersTls,
  plain,
  sideBySide,
  signatures,
  type Trial,
  trial,
} from './load/door-trials.ts';
import { machineLine } from './load/machine.ts';
import { median } from './load/results.ts';
import { Ground } from './load/round.ts';

const QUESTIONS = ['acl', 'slow', 'idle', 'tls'] as const;
type Question = (typeof QUESTIONS)[number];

/** Room for more connections than one address has ports. */
const SOURCES = '127.0.0.2-127.0.0.9';

const isQuestion = (name: string): name is Question => (QUESTIONS as readonly string[]).includes(name);
const isKey = (name: string): name is KeyKind => name === 'rsa2048' || name === 'ecdsap256';
const cpuOf = (trials: readonly Trial[]): readonly number[] => trials.map(({ cpu }) => cpu);
/** Of runs that were made side by side: their ratios hold what disturbed both. */
const moreThan = (some: readonly number[], others: readonly number[]): number =>
  (median(some.map((value, run) => value / (others[run] ?? value))) ?? 1) - 1;
const percent = (share: number): string => `${share < 0 ? '−' : '+'}${Math.abs(share * 100).toFixed(1)} %`;

const wish = wanted();
await using ground = new Ground(wish.directory);
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void ground[Symbol.asyncDispose]().finally(() => process.exit(1)));

const W1 = ['--seconds', String(wish.seconds), '--sessions', '50', '--size', '10k'];
/** The same pace on both sides: messages that come closer together share more writes and syncs. */
const PACED = [...W1, '--rate', String(wish.rate)];
const answers: Answer[] = [];
const began = performance.now();
const steps = wish.only.reduce((sum, name) => sum + { acl: 1, slow: 1, idle: 1, tls: 3 }[name] * wish.runs, 0);
let done = 0;

for (const question of wish.only) answers.push(...(await ask(question)));
write();

function ask(question: Question): Promise<readonly Answer[]> {
  switch (question) {
    case 'acl':
      return acl();
    case 'slow':
      return slow();
    case 'idle':
      return idle();
    case 'tls':
      return tls();
  }
}

async function acl(): Promise<readonly Answer[]> {
  const [without, withThem]: [Trial[], Trial[]] = [[], []];
  for (let run = 0; run < wish.runs; run++) {
    const [one, other] = await step('W1 without guards, and with them', () =>
      sideBySide(ground, [plain, guarded(wish.peers)], PACED),
    );
    without.push(one);
    withThem.push(other);
  }
  const more = moreThan(cpuOf(withThem), cpuOf(without));
  return [
    {
      name: 'acl',
      what: `W1 behind ${wish.peers} Peer stanzas, as many relay hosts, and caps on sessions`,
      wanted: 'at most 3 % more processor time a message',
      measured: more,
      shown: percent(more),
      met: more <= 0.03,
      rows: [
        { label: 'without', unit: 'ms of processor time a message', values: cpuOf(without) },
        { label: 'with', unit: 'ms of processor time a message', values: cpuOf(withThem) },
        { label: 'without', unit: 'messages a second', values: without.map(({ rate }) => rate) },
        { label: 'with', unit: 'messages a second', values: withThem.map(({ rate }) => rate) },
      ],
    },
  ];
}

async function slow(): Promise<readonly Answer[]> {
  const drips = ['--hostile', 'drip', '--sessions', String(wish.slow), '--seconds', '600', '--source', SOURCES];
  const crowd = { words: drips, connections: wish.slow };
  const [alone, beside]: [Trial[], Trial[]] = [[], []];
  for (let run = 0; run < wish.runs; run++) {
    const [one, other] = await step(`W1 alone, and beside ${wish.slow} slow senders`, () =>
      sideBySide(ground, [plain, plain], PACED, crowd),
    );
    alone.push(one);
    beside.push(other);
  }
  const net = beside.map(({ cpu, besides }) => cpu - besides);
  const whole = moreThan(cpuOf(beside), cpuOf(alone));
  const more = moreThan(net, cpuOf(alone));
  return [
    {
      name: 'slow',
      what: `W1 beside ${wish.slow} clients that send one byte a second`,
      wanted: 'at most 5 % more processor time a message for everybody else',
      measured: more,
      shown: `${percent(more)}; their own bytes included ${percent(whole)}`,
      met: whole <= 0.05 ? true : more <= 0.05 ? 'open' : false,
      note: 'What the slow clients cost by themselves, a write of theirs each second, was measured before the load began and is taken off. At rest each byte costs a wake-up of its own and under load many share one, so that this takes off too much: the truth lies between both figures.',
      rows: [
        { label: 'alone', unit: 'ms of processor time a message', values: cpuOf(alone) },
        { label: 'beside them', unit: 'ms of processor time a message', values: net },
        { label: 'the slow ones included', unit: 'ms of processor time a message', values: cpuOf(beside) },
        { label: 'alone', unit: 'messages a second', values: alone.map(({ rate }) => rate) },
        { label: 'beside them', unit: 'messages a second', values: beside.map(({ rate }) => rate) },
      ],
    },
  ];
}

async function idle(): Promise<readonly Answer[]> {
  const [without, withThem]: [number[], number[]] = [[], []];
  for (let run = 0; run < wish.runs; run++) {
    const memory = await step(`${wish.idle} idle connections`, () => idleMemory(ground, plain, wish.idle));
    without.push(memory.without / 1e6);
    withThem.push(memory.with / 1e6);
  }
  const more = (median(withThem) ?? 0) - (median(without) ?? 0);
  const most = (150 * wish.idle) / 10_000;
  return [
    {
      name: 'idle',
      what: `${wish.idle} idle connections`,
      wanted: `at most ${most.toFixed(0)} MB above the idle server`,
      measured: more,
      shown: `${more.toFixed(0)} MB`,
      met: more <= most,
      rows: [
        { label: 'idle server', unit: 'MB resident', values: without },
        { label: 'with connections', unit: 'MB resident', values: withThem },
      ],
    },
  ];
}

async function tls(): Promise<readonly Answer[]> {
  const intake = {
    name: 'tls-intake',
    what: 'W1 over TLS 1.3 on connections that are reused',
    wanted: 'at least 70 % of our plain intake',
  };
  const fresh = {
    name: 'tls-new',
    what: `new TLS connections, ${wish.key}`,
    wanted: 'at least 60 % of what openssl speed allows one core',
  };
  using certificate = new Certificate(wish.key);
  const mta = encrypted(certificate);
  if (!(await offersTls(ground, mta))) {
    const missing = { measured: undefined, shown: '–', met: undefined, rows: [] };
    const note = 'Not measured: this server offers no STARTTLS.';
    console.log(`TLS: ${note}`);
    return [
      { ...intake, ...missing, note },
      { ...fresh, ...missing, note },
    ];
  }
  const [clear, secure, connects]: [Trial[], Trial[], Trial[]] = [[], [], []];
  for (let run = 0; run < wish.runs; run++) {
    clear.push(await step('W1 in clear', () => trial(ground, plain, W1)));
    secure.push(await step('W1 over TLS', () => trial(ground, mta, [...W1, '--tls', 'starttls'])));
    const words = ['--no-mail', '--tls', 'starttls', '--seconds', String(wish.seconds), '--sessions', '50'];
    connects.push(await step('new TLS connections', () => trial(ground, mta, [...words, '--source', SOURCES])));
  }
  const share = (median(secure.map(({ rate }) => rate)) ?? 0) / (median(clear.map(({ rate }) => rate)) ?? 1);
  // Of one core: the generator may be what holds it up.
  const each = connects.map(({ cpu }) => 1000 / cpu);
  const signs = signatures(wish.key);
  const ofSpeed = (median(each) ?? 0) / signs;
  return [
    {
      ...intake,
      measured: share,
      shown: `${(share * 100).toFixed(0)} %`,
      met: share >= 0.7,
      rows: [
        { label: 'in clear', unit: 'messages a second', values: clear.map(({ rate }) => rate) },
        { label: 'over TLS', unit: 'messages a second', values: secure.map(({ rate }) => rate) },
        { label: 'in clear', unit: 'ms of processor time a message', values: cpuOf(clear) },
        { label: 'over TLS', unit: 'ms of processor time a message', values: cpuOf(secure) },
      ],
    },
    {
      ...fresh,
      measured: ofSpeed,
      shown: `${(ofSpeed * 100).toFixed(0)} %`,
      met: ofSpeed >= 0.6,
      note: 'Connections for each second of processor time, with greeting, EHLO, STARTTLS, handshake, EHLO and QUIT.',
      rows: [
        { label: 'openssl speed', unit: 'a second of one core', values: [signs] },
        { label: 'connections', unit: 'a second of one core', values: each },
        { label: 'connections', unit: 'a second', values: connects.map(({ rate }) => rate) },
      ],
    },
  ];
}

async function step<T>(what: string, run: () => Promise<T>): Promise<T> {
  const result = await run();
  done++;
  const left = (((performance.now() - began) / done) * (steps - done)) / 60_000;
  console.log(`[${done}/${steps}, about ${Math.ceil(left)} min to go] ${what}: ${told(result)}`);
  return result;
}

function told(result: unknown): string {
  if (Array.isArray(result)) return result.map(told).join('; ');
  if (typeof result !== 'object' || result === null) return String(result);
  if ('cpu' in result) {
    const { cpu, besides, rate } = result as Trial;
    return `${rate.toFixed(0)}/s, ${cpu.toFixed(3)} ms each${besides === 0 ? '' : `, of which ${besides.toFixed(3)} ms in any case`}`;
  }
  return Object.entries(result)
    .map(([name, bytes]) => `${name} them ${(Number(bytes) / 1e6).toFixed(0)} MB`)
    .join(', ');
}

function write(): void {
  const about = {
    date: new Date().toISOString().slice(0, 10),
    machine: machineLine(),
    version: plain.version().replace(/^impetus /, ''),
    command: `npm run bench:doors -- ${process.argv.slice(2).join(' ')}`.trimEnd(),
  };
  for (const path of new Set([join(home, 'bench/results/doors.md'), ...(wish.out === undefined ? [] : [wish.out])])) {
    const prefix = basename(path, '.md');
    const { text, plots } = doorPage(answers, about, prefix);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    for (const [name, plot] of plots) writeFileSync(join(dirname(path), name), plot);
    console.log(`written: ${path} and ${plots.size} plots beside it`);
  }
  const raw = [{ about }, ...answers].map((line) => `${JSON.stringify(line)}\n`).join('');
  writeFileSync(join(home, 'bench/results/doors.jsonl'), raw);
}

function wanted() {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', default: QUESTIONS.join(',') },
      runs: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '5' },
      rate: { type: 'string', default: '1000' },
      slow: { type: 'string', default: '5000' },
      idle: { type: 'string', default: '10000' },
      peers: { type: 'string', default: '1000' },
      key: { type: 'string', default: 'rsa2048' },
      out: { type: 'string' },
      directory: { type: 'string', default: '/var/tmp' },
    },
  });
  const names = values.only.split(',').map((name) => name.trim());
  for (const name of names) if (!isQuestion(name)) usage(`no question ${name}; there are ${QUESTIONS.join(', ')}`);
  const number = (name: 'runs' | 'seconds' | 'rate' | 'slow' | 'idle' | 'peers'): number => {
    const value = Number(values[name]);
    return value > 0 ? value : usage(`--${name} takes a number above 0`);
  };
  const { key } = values;
  if (!isKey(key)) return usage('--key is rsa2048 or ecdsap256');
  return {
    only: names.filter(isQuestion),
    runs: Math.round(number('runs')),
    seconds: number('seconds'),
    rate: number('rate'),
    slow: Math.round(number('slow')),
    idle: Math.round(number('idle')),
    peers: Math.round(number('peers')),
    key,
    out: values.out === undefined ? undefined : resolve(values.out),
    directory: resolve(values.directory),
  };
}

function usage(text: string): never {
  console.error(`bench:doors: ${text}`);
  process.exit(2);
}
