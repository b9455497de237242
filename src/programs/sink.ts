import { InvalidArgumentError } from 'commander';
import { type Endpoint, endpointText, millis } from '../base/index.ts';
import {
  type Counters,
  parseRule,
  parseRules,
  type Rule,
  RuleError,
  type Sink,
  sink,
  sinkDefaults,
  type Tally,
} from '../sink/index.ts';
import { DiskError, NetworkError, type Process, type TlsContext, type World } from '../world/index.ts';
import { commandNamed, endpoint, USAGE, understood, wholeNumber } from './command-line.ts';
import { grouped } from './send-report.ts';
import { sinkTls } from './sink-tls.ts';

interface Words {
  readonly listen?: readonly Endpoint[];
  readonly rule?: readonly Rule[];
  readonly rules?: string;
  readonly keep?: string;
  readonly log?: boolean;
  readonly recent: number;
  readonly maxSize: number;
  readonly maxSessions: number;
  readonly hostname?: string;
  readonly tls?: boolean;
  readonly certificate?: string;
  readonly key?: string;
}

const DEFAULT_LISTEN: Endpoint = { kind: 'tcp', ip: '127.0.0.1', port: 2526 };
/** Between two pictures of the live line, and between two plain lines. */
const LIVE_MILLIS = 500;
const PLAIN_MILLIS = 60_000;
/** Domains that a summary names. */
const MOST_SHOWN = 20;

const HELP = `
What happens to a message is decided by its recipient, by the first rule that matches, else by the beginning of the local part:
  accept…  taken, as is every recipient without a meaning
  defer…   450 at RCPT; defer-421, defer-451, defer-452; defer-dot: after the final dot
  refuse…  550 at RCPT; refuse-552, refuse-554; refuse-dot
  slow…    taken, 5 s before the replies to RCPT and to the dot; slow-200ms, slow-30s-dot, slow-2m-rcpt
  drop…    the connection ends when text comes; drop-rcpt, drop-dot: after the dot, without a reply
  busy…    421, and the same greeting for everybody in the next 5 s; then taken; busy-30s
  grey…    450 until 5 s after the first attempt, then taken; grey-60s
A rule is PATTERN=ACTION, as '*@slow.example=slow-10s', 'full.example=defer-452' or
'joe@*=refuse 550 5.7.1 go away'; * stands for any text. SIGUSR2 shows domains and the last messages.`;

/**
 * `impetus sink`: runs until SIGTERM or SIGINT.
 *
 * @returns 0 after an orderly end, 1 when it cannot listen, 2 when the words make no sense
 */
export async function sinkProgram(world: World, process: Process, words: readonly string[]): Promise<number> {
  const command = commandNamed(
    'impetus sink',
    'Takes mail as mailbox providers do: accepts, defers, refuses, is slow, hangs up.',
    process,
  )
    .option(
      '--listen <endpoint...>',
      `addresses as 127.0.0.1:2526 or [::1]:2526, or Unix sockets (default: ${endpointText(DEFAULT_LISTEN)})`,
      endpoints,
    )
    .option('--rule <pattern=action...>', 'what happens to certain recipients', ruleList)
    .option('--rules <file>', 'more rules, one a line, asked after those of --rule')
    .option('--keep <directory>', 'keep whole messages there, as in a maildir')
    .option('--log', 'a line for each message')
    .option(
      '--recent <number>',
      'how many of the last messages are remembered',
      wholeNumber(0, 100_000),
      sinkDefaults.recent,
    )
    .option(
      '--max-size <bytes>',
      'longest message, 0 for no limit; k and M are understood',
      wholeNumber(0, 2 ** 40, true),
      sinkDefaults.maxMessageSize,
    )
    .option(
      '--max-sessions <number>',
      'beyond it clients are greeted with 421; 0 for no limit',
      wholeNumber(0, 1_000_000),
      0,
    )
    .option('--hostname <name>', 'what the sink calls itself')
    .option('--tls', 'offer STARTTLS with a certificate that nobody but itself has signed, new at each start')
    .option('--certificate <file>', 'offer STARTTLS with this one (PEM)')
    .option('--key <file>', 'its key, when that is not in the same file')
    .addHelpText('after', HELP);
  const wrong = understood(command, words);
  if (wrong !== undefined) return wrong;
  const asked = command.opts<Words>();
  const more = await readRules(world, asked.rules);
  if (typeof more === 'string') {
    process.complain(`impetus sink: ${more}\n`);
    return USAGE;
  }
  const tls = await sinkTls(world, asked);
  if (typeof tls === 'string') {
    process.complain(`impetus sink: ${tls}\n`);
    return USAGE;
  }
  return new Showing(world, process, asked, [...(asked.rule ?? []), ...more], tls).run();
}

function endpoints(text: string, before: readonly Endpoint[] | undefined): readonly Endpoint[] {
  return [...(before ?? []), endpoint(text)];
}

function ruleList(text: string, before: readonly Rule[] | undefined): readonly Rule[] {
  try {
    return [...(before ?? []), parseRule(text)];
  } catch (error) {
    if (error instanceof RuleError) throw new InvalidArgumentError(error.message);
    throw error;
  }
}

/** @returns a sentence when they cannot be had */
async function readRules(world: World, file: string | undefined): Promise<readonly Rule[] | string> {
  if (file === undefined) return [];
  try {
    return parseRules(Buffer.from(await world.disk.read(file)).toString('utf8'), file);
  } catch (error) {
    if (error instanceof RuleError) return error.message;
    if (error instanceof DiskError) return `cannot read ${file}: ${error.message}`;
    throw error;
  }
}

/** A sink and what it shows of itself. */
class Showing {
  readonly #world: World;
  readonly #process: Process;
  readonly #listen: readonly Endpoint[];
  readonly #sink: Sink;
  readonly #live: boolean;
  readonly #plain: boolean;
  /** Lines that go out together, after this turn. */
  #lines: string[] = [];
  #drawn = false;
  #timer: Disposable | undefined;
  #last = { at: millis(0), messages: 0 };
  #stop: () => void = () => {};

  constructor(world: World, process: Process, asked: Words, rules: readonly Rule[], tls: TlsContext | undefined) {
    this.#world = world;
    this.#process = process;
    this.#listen = asked.listen ?? [DEFAULT_LISTEN];
    this.#live = process.isTerminal.output;
    this.#plain = asked.log !== true;
    this.#sink = sink(world, {
      rules,
      recent: asked.recent,
      maxMessageSize: asked.maxSize,
      maxSessions: asked.maxSessions,
      complain: (text) => process.complain(`impetus sink: ${text}\n`),
      ...(asked.hostname === undefined ? {} : { hostName: asked.hostname }),
      ...(tls === undefined ? {} : { tls }),
      ...(asked.keep === undefined ? {} : { keep: asked.keep }),
      ...(asked.log === true ? { log: (line: string) => this.#say(line) } : {}),
    });
  }

  async run(): Promise<number> {
    const stop = new Promise<void>((resolve) => {
      this.#stop = resolve;
    });
    using _terminate = this.#process.onSignal('SIGTERM', () => this.#stop());
    using _interrupt = this.#process.onSignal('SIGINT', () => this.#stop());
    using _show = this.#process.onSignal('SIGUSR2', () => this.#report());
    for (const at of this.#listen) {
      try {
        const listening = await this.#sink.listen(at);
        this.#say(`impetus sink: listening on ${endpointText(listening.at)}`);
      } catch (error) {
        if (!(error instanceof NetworkError)) throw error;
        this.#process.complain(`impetus sink: cannot listen on ${endpointText(at)}: ${error.message}\n`);
        await this.#sink.close();
        return 1;
      }
    }
    this.#last = { at: this.#world.clock.now(), messages: 0 };
    this.#tick();
    await stop;
    await this.#sink.close();
    this.#timer?.[Symbol.dispose]();
    this.#say(`${countersText(this.#sink.counters, undefined)}`);
    for (const line of domainLines(this.#sink.counters)) this.#say(line);
    this.#flush();
    return 0;
  }

  #tick(): void {
    const { clock } = this.#world;
    this.#timer = clock.at(millis(clock.now() + (this.#live ? LIVE_MILLIS : PLAIN_MILLIS)), () => {
      const now = clock.now();
      const { messages } = this.#sink.counters;
      const rate = ((messages - this.#last.messages) * 1000) / Math.max(1, now - this.#last.at);
      const changed = messages !== this.#last.messages;
      this.#last = { at: now, messages };
      const text = countersText(this.#sink.counters, rate);
      if (this.#live) this.#draw(text);
      else if (changed && this.#plain) this.#say(text);
      this.#tick();
    });
  }

  #draw(text: string): void {
    this.#flush();
    this.#drawn = true;
    this.#process.say(`\r${text}\x1b[K`);
  }

  #say(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length === 1) this.#world.clock.defer(() => this.#flush());
  }

  #flush(): void {
    if (this.#lines.length === 0) return;
    const clear = this.#drawn ? '\r\x1b[K' : '';
    this.#drawn = false;
    const lines = this.#lines;
    this.#lines = [];
    this.#process.say(`${clear}${lines.join('\n')}\n`);
  }

  /** What SIGUSR2 asks for. */
  #report(): void {
    for (const line of domainLines(this.#sink.counters)) this.#say(line);
    for (const taken of this.#sink.recent()) {
      const header = Buffer.from(taken.header)
        .toString('latin1')
        .replace(/[^\x20-\x7e\r\n\t]/g, '?')
        .trimEnd();
      this.#say(
        `#${taken.number} from=<${taken.reversePath}> to=${taken.recipients.map((path) => `<${path}>`).join(',')} bytes=${taken.bytes}`,
      );
      for (const line of header.split('\r\n')) this.#say(`    ${line}`);
    }
  }
}

/** `12,345 messages, 120.6 MB, 3,210 messages/s; recipients: …; 4 sessions` */
function countersText(counters: Counters, rate: number | undefined): string {
  const encrypted = counters.encryptedSessions === 0 ? '' : `, ${grouped(counters.encryptedSessions)} with TLS`;
  const speed = rate === undefined ? '' : `, ${grouped(rate)} messages/s`;
  const away = counters.turnedAway === 0 ? '' : `, ${grouped(counters.turnedAway)} turned away`;
  return (
    `${grouped(counters.messages)} messages, ${(counters.bytes / 1e6).toFixed(1)} MB${speed}; recipients: ${tallyText(counters.recipients)}; ` +
    `${grouped(counters.openSessions)} of ${grouped(counters.sessions)} sessions open${encrypted}${away}`
  );
}

function tallyText(tally: Tally): string {
  return (['accepted', 'deferred', 'refused', 'dropped'] as const)
    .map((verdict) => `${grouped(tally[verdict])} ${verdict}`)
    .join(', ');
}

/** The domains with most recipients. */
function domainLines(counters: Counters): readonly string[] {
  const total = (tally: Tally): number => tally.accepted + tally.deferred + tally.refused + tally.dropped;
  const domains = [...counters.byDomain].sort(([, one], [, other]) => total(other) - total(one));
  const lines = domains.slice(0, MOST_SHOWN).map(([domain, tally]) => `  ${printable(domain)}: ${tallyText(tally)}`);
  if (domains.length > MOST_SHOWN) lines.push(`  and ${grouped(domains.length - MOST_SHOWN)} more domains`);
  return lines;
}

const printable = (text: string): string => (text === '' ? '(no domain)' : text.replace(/[^\x21-\x7e]/g, '?'));
