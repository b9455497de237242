import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { isMechanism, type Mechanism, mechanisms } from './sasl.ts';

/** What a load generator shall do. Plain data: it is handed to the worker processes. */
export interface Plan {
  readonly host: string;
  readonly port: number;
  /** Connections that are open at a time. */
  readonly sessions: number;
  readonly workers: number;
  /** Messages in all; undefined: as long as there is time. */
  readonly count: number | undefined;
  readonly seconds: number | undefined;
  /** Messages a second in all; 0: as fast as they are taken. */
  readonly rate: number;
  /** 0: as many as there are. */
  readonly perConnection: number;
  /** No messages: each connection greets, encrypts, authenticates, and ends. */
  readonly noMail: boolean;
  readonly recipients: number;
  readonly pipelining: boolean;
  readonly sizes: readonly { readonly bytes: number; readonly weight: number }[];
  /** A message to send in the place of made ones. */
  readonly file: string | undefined;
  readonly from: string;
  readonly to: string;
  readonly ehlo: string;
  readonly sources: readonly string[];
  readonly tls: 'no' | 'starttls' | 'implicit';
  /** TLS sessions are resumed. */
  readonly resume: boolean;
  readonly serverName: string;
  readonly auth: Mechanism | undefined;
  readonly user: string;
  readonly password: string;
  readonly hostile: Hostile | undefined;
  /** Seconds without progress that end a session. */
  readonly timeout: number;
  /** A load with so many errors ends. */
  readonly mostErrors: number;
  readonly json: boolean;
}

export const hostiles = {
  drip: 'a message, one byte a second',
  mute: 'commands without end, and no reply is ever read',
  half: 'the client closes its half behind EHLO',
  idle: 'connects, and says nothing',
  connects: 'connects and closes, again and again',
  commands: 'bad commands without end',
  lines: 'one line without end',
  nul: 'lines of NULs',
  utf8: 'lines of invalid UTF-8',
  hello: 'broken TLS hellos',
} as const;
export type Hostile = keyof typeof hostiles;

export const help = `npm run load -- HOST:PORT [options]

  --sessions N          connections at a time (20)
  --workers N           processes that send (1)
  --count N             messages in all; or
  --seconds N           how long (10 when there is no --count)
  --rate N              messages a second in all (as fast as they are taken)
  --per-connection N    messages on a connection; 0 all (0)
  --no-mail             each connection greets, encrypts, authenticates, and quits
  --recipients N        recipients of each message (1)
  --no-pipelining       one command at a time
  --size S              bytes of a message: 10k, or a mix with weights: 1k:70,10k:25,1m:5 (10k)
  --file FILE           sends this message
  --from, --to TEXT     addresses; {n} is the number of the message, {r} of the recipient, {c} of the connection (a@src.test,
                        b@dst.test)
  --ehlo NAME           (load.test)
  --source A[-B]        source addresses, taken in turn: 127.0.0.2-127.0.0.50
  --tls MODE            no, starttls or implicit (no)
  --resume              TLS sessions are resumed
  --server-name NAME    asked for by SNI (localhost)
  --auth MECHANISM      ${mechanisms.join(', ')}; with
  --user, --password    (user, password)
  --hostile MODE        no messages, but
${Object.entries(hostiles)
  .map(([name, what]) => `                          ${name.padEnd(10)}${what}`)
  .join('\n')}
  --timeout N           seconds without progress that end a session (60)
  --most-errors N       errors that end the load (1000)
  --json                the report as one line of JSON

Exit code 1 when there were errors or nothing was accepted, 2 when the options are wrong.`;

/** @throws Error that says which word is wrong */
export function planOf(words: readonly string[]): Plan | 'help' {
  const { values, positionals } = parseArgs({
    args: [...words],
    allowPositionals: true,
    options: {
      sessions: { type: 'string', default: '20' },
      workers: { type: 'string', default: '1' },
      count: { type: 'string' },
      seconds: { type: 'string' },
      rate: { type: 'string', default: '0' },
      'per-connection': { type: 'string', default: '0' },
      recipients: { type: 'string', default: '1' },
      'no-mail': { type: 'boolean', default: false },
      'no-pipelining': { type: 'boolean', default: false },
      size: { type: 'string', default: '10k' },
      file: { type: 'string' },
      from: { type: 'string', default: 'a@src.test' },
      to: { type: 'string', default: 'b@dst.test' },
      ehlo: { type: 'string', default: 'load.test' },
      source: { type: 'string' },
      tls: { type: 'string', default: 'no' },
      resume: { type: 'boolean', default: false },
      'server-name': { type: 'string', default: 'localhost' },
      auth: { type: 'string' },
      user: { type: 'string', default: 'user' },
      password: { type: 'string', default: 'password' },
      hostile: { type: 'string' },
      timeout: { type: 'string', default: '60' },
      'most-errors': { type: 'string', default: '1000' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const number = (name: string, text: string, least: number): number => {
    const value = Number(text);
    if (!Number.isFinite(value) || value < least) throw new Error(`--${name} takes a number of at least ${least}`);
    return value;
  };
  const whole = (name: string, text: string, least: number): number => Math.round(number(name, text, least));
  const [place] = positionals;
  const at = /^(.*):(\d+)$/.exec(place ?? '');
  if (at === null || positionals.length !== 1) throw new Error('one HOST:PORT is wanted');
  const { auth, hostile, tls } = values;
  if (auth !== undefined && !isMechanism(auth)) throw new Error(`--auth is one of ${mechanisms.join(', ')}`);
  if (tls !== 'no' && tls !== 'starttls' && tls !== 'implicit') throw new Error('--tls is no, starttls or implicit');
  if (hostile !== undefined && !isHostile(hostile))
    throw new Error(`--hostile is one of ${Object.keys(hostiles).join(', ')}`);
  if (values.file !== undefined) readFileSync(values.file);
  const count = values.count === undefined ? undefined : whole('count', values.count, 1);
  const sessions = whole('sessions', values.sessions, 1);
  return {
    host: (at[1] ?? '').replace(/^\[(.*)\]$/, '$1') || '127.0.0.1',
    port: Number(at[2]),
    sessions,
    workers: Math.min(whole('workers', values.workers, 1), sessions),
    count,
    seconds: values.seconds !== undefined ? number('seconds', values.seconds, 0) : count === undefined ? 10 : undefined,
    rate: number('rate', values.rate, 0),
    perConnection: whole('per-connection', values['per-connection'], 0),
    noMail: values['no-mail'],
    recipients: whole('recipients', values.recipients, 1),
    pipelining: !values['no-pipelining'],
    sizes: sizesOf(values.size),
    file: values.file,
    from: values.from,
    to: values.to,
    ehlo: values.ehlo,
    sources: values.source === undefined ? [] : sourcesOf(values.source),
    tls,
    resume: values.resume,
    serverName: values['server-name'],
    auth,
    user: values.user,
    password: values.password,
    hostile,
    timeout: number('timeout', values.timeout, 0.1),
    mostErrors: whole('most-errors', values['most-errors'], 0),
    json: values.json,
  };
}

const isHostile = (text: string): text is Hostile => text in hostiles;
const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 * 1024 };

function sizesOf(text: string): Plan['sizes'] {
  return text.split(',').map((part) => {
    const [, digits = '', unit = '', weight = '1'] = /^(\d+)([km]?)(?::(\d+))?$/i.exec(part.trim()) ?? [];
    const bytes = Number(digits) * (UNITS[unit.toLowerCase()] ?? 1);
    if (digits === '' || bytes < 1 || bytes > 1 << 28 || Number(weight) < 1)
      throw new Error(`--size takes bytes as 10k, or a mix as 1k:70,10k:30, not ${part}`);
    return { bytes, weight: Number(weight) };
  });
}

/** IPv4 addresses from A to B, 65,536 at most. */
function sourcesOf(text: string): readonly string[] {
  const [first = '', last = first] = text.split('-');
  const [from, to] = [first, last].map((ip) => {
    const parts = ip.split('.').map(Number);
    if (parts.length !== 4 || parts.some((part) => !(part >= 0 && part <= 255)))
      throw new Error(`--source takes an IPv4 address or two with a dash between, not ${text}`);
    return parts.reduce((sum, part) => sum * 256 + part, 0);
  });
  if (from === undefined || to === undefined || to < from || to - from > 65_535)
    throw new Error('--source takes at most 65536 addresses, from the lowest to the highest');
  return Array.from({ length: to - from + 1 }, (_, i) =>
    [24, 16, 8, 0].map((shift) => Math.floor((from + i) / 2 ** shift) % 256).join('.'),
  );
}
