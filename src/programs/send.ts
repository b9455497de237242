import { type Endpoint, endpointText, type Millis } from '../base/index.ts';
import { type Reply, replyText } from '../smtp/index.ts';
import { DiskError, type Process, type World } from '../world/index.ts';
import { commandNamed, endpoint, mailbox, USAGE, understood, wholeNumber } from './command-line.ts';
import { Progress } from './progress.ts';
import { asksForDoor, type DoorShell, type DoorWords, doorOf } from './send-door.ts';
import { beginsWithHeader, fillerText, type Template, type TestBody, testBody, testMessage } from './send-message.ts';
import { Durations, printable, summary } from './send-report.ts';
import { type Result, SendSession } from './send-session.ts';
import { StreamSending } from './send-stream.ts';

interface Words extends DoorWords {
  readonly from: string;
  readonly to?: readonly string[];
  readonly server?: Endpoint;
  readonly subject: string;
  readonly body?: string;
  readonly size?: number;
  readonly count: number;
  readonly sessions?: number;
  readonly verbose?: boolean;
  readonly ecstream?: boolean;
}

const DEFAULT_RECIPIENT = 'accept@impetus.test';
const DEFAULT_SERVER: Endpoint = { kind: 'tcp', ip: '127.0.0.1', port: 2525 };
const DEFAULT_STREAM_SERVER: Endpoint = { kind: 'tcp', ip: '127.0.0.1', port: 1825 };
const DEFAULT_TEXT = 'This is a test message.\n';
/** An address literal names us in EHLO (RFC 5321 §4.1.3): test machines often have no name that stands. */
const OUR_NAME = '[127.0.0.1]';
/** V8's longest string has 512 MiB, and line ends may still grow. */
const MOST_MESSAGE_BYTES = 500 * 1024 * 1024;
const DEFAULT_SESSIONS = 10;
/** So many connections may fail one after the other before the rest of a batch is given up. */
const MOST_FAILED_SESSIONS = 20;

/**
 * `impetus send`: one test message, or many.
 *
 * @returns 0 all were accepted, 1 some were not, 2 the words make no sense
 */
export async function sendProgram(
  world: World,
  process: Process,
  words: readonly string[],
  terminal?: DoorShell['terminal'],
): Promise<number> {
  const command = commandNamed('impetus send', 'Sends test messages by SMTP and shows what the server says.', process)
    .option('--from <address>', 'envelope sender and From; <> for none', mailbox, 'sender@impetus.test')
    .option(
      '--to <address...>',
      `recipients, all in one transaction; {n} becomes the number of the message (default: ${DEFAULT_RECIPIENT})`,
      mailboxes,
    )
    .option(
      '--server <host:port>',
      `where to send, or the path of a Unix socket (default: ${endpointText(DEFAULT_SERVER)})`,
      endpoint,
    )
    .option('--subject <text>', 'Subject; {n} becomes the number of the message', 'A test from impetus send')
    .option('--body <text>', 'text of the message')
    .option(
      '--file <path>',
      'file with the text, or with a whole message if it begins with a header; - is standard input',
    )
    .option(
      '--size <bytes>',
      'make up a text of that many bytes; k and M are understood',
      wholeNumber(0, MOST_MESSAGE_BYTES, true),
    )
    .option('--count <number>', 'how many messages', wholeNumber(1, 100_000_000), 1)
    .option(
      '--sessions <number>',
      `connections at the same time (default: up to ${DEFAULT_SESSIONS})`,
      wholeNumber(1, 10_000),
    )
    .option('--ecstream', 'by ECStream instead of SMTP (default server: 127.0.0.1:1825)')
    .option('--verbose', 'show the whole dialogue (of SMTP)')
    .option('--tls', 'TLS from the first byte, for a listener with Use_SSL; with --ecstream, as all that follow')
    .option('--ca <file>', 'who may sign the certificate of the server, PEM (default: whom Node trusts)')
    .option('--server-name <name>', 'whom the certificate has to name (default: the host of --server)')
    .option('--login <user>', 'log in; the password is asked for, or read as the first line of standard input')
    .option('--password-file <file>', 'file whose first line is the password')
    .option('--api-key-file <file>', 'log in with the API key in this file')
    .option('--insecure-login', 'allow a login without --tls to another machine');
  const wrong = understood(command, words);
  if (wrong !== undefined) return wrong;
  const asked = command.opts<Words>();
  if ([asked.body, asked.file, asked.size].filter((given) => given !== undefined).length > 1) {
    process.complain('impetus send: --body, --file and --size exclude each other\n');
    return USAGE;
  }
  const text = await readText(world, process, asked);
  if (typeof text === 'string') {
    process.complain(`impetus send: ${text}\n`);
    return USAGE;
  }
  const template = {
    from: asked.from,
    to: asked.to ?? [DEFAULT_RECIPIENT],
    subject: asked.subject,
    text,
    hostName: process.hostName,
  };
  if (asked.ecstream === true) {
    if (asked.verbose === true) {
      process.complain('impetus send: --verbose shows SMTP only; leave out --ecstream\n');
      return USAGE;
    }
    const { count, sessions = 1, server = DEFAULT_STREAM_SERVER } = asked;
    const door = await doorOf({ world, process, terminal }, asked, server);
    if (typeof door !== 'string')
      return new StreamSending(world, process, template, { at: server, count, sessions, door }).run();
    process.complain(`impetus send: ${door}\n`);
    return USAGE;
  }
  if (asksForDoor(asked)) {
    process.complain('impetus send: TLS and logins are spoken with --ecstream only\n');
    return USAGE;
  }
  return new Sending(world, process, asked, template).run();
}

function mailboxes(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), mailbox(text)];
}

/** @returns a sentence when there is no such text */
async function readText(world: World, process: Process, asked: Words): Promise<TestBody | string> {
  if (asked.size !== undefined) return testBody(fillerText(asked.size), false);
  if (asked.file === undefined) return testBody(Buffer.from(asked.body ?? DEFAULT_TEXT), false);
  try {
    const bytes = asked.file === '-' ? await readInput(process) : await world.disk.read(asked.file);
    if (bytes.length > MOST_MESSAGE_BYTES) return `${asked.file} is longer than ${MOST_MESSAGE_BYTES} bytes`;
    return testBody(bytes, beginsWithHeader(bytes));
  } catch (error) {
    if (error instanceof DiskError) return `cannot read ${asked.file}: ${error.message}`;
    throw error;
  }
}

async function readInput(process: Process): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of process.input()) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > MOST_MESSAGE_BYTES) break;
  }
  return Buffer.concat(chunks);
}

/** A run of the program: hands out messages to its sessions, and keeps the books. */
class Sending {
  readonly #world: World;
  readonly #process: Process;
  readonly #asked: Words;
  readonly #template: Template;
  readonly #token: string;
  readonly #durations = new Durations();
  readonly #began: Millis;
  #begun = 0;
  #accepted = 0;
  #refused = 0;
  #unknown = 0;
  #open = 0;
  #failedSessions = 0;
  #trouble: string | undefined;
  #stopped = false;
  #finished: () => void = () => {};
  readonly #progress: Progress;

  constructor(world: World, process: Process, asked: Words, template: Template) {
    this.#world = world;
    this.#process = process;
    this.#asked = asked;
    this.#template = template;
    this.#token = Buffer.from(world.chance.bytes(9)).toString('hex');
    this.#began = world.clock.now();
    this.#progress = new Progress(world.clock, process, asked.count, () => this.#done);
  }

  async run(): Promise<number> {
    const sessions = Math.min(this.#asked.count, this.#asked.sessions ?? DEFAULT_SESSIONS);
    using _interrupt = this.#process.onSignal('SIGINT', () => this.#stop());
    using _terminate = this.#process.onSignal('SIGTERM', () => this.#stop());
    const over = new Promise<void>((resolve) => {
      this.#finished = resolve;
    });
    if (this.#many && this.#asked.verbose !== true) this.#progress.begin();
    for (let n = 0; n < sessions; n++) this.#openSession();
    await over;
    return this.#conclude();
  }

  get #server(): Endpoint {
    return this.#asked.server ?? DEFAULT_SERVER;
  }

  get #many(): boolean {
    return this.#asked.count > 1;
  }

  get #done(): number {
    return this.#accepted + this.#refused + this.#unknown;
  }

  #stop(): void {
    this.#stopped = true;
  }

  #openSession(): void {
    this.#open++;
    const before = this.#done;
    const batch = {
      next: () => {
        if (this.#stopped || this.#begun >= this.#asked.count) return undefined;
        return testMessage(this.#template, ++this.#begun, this.#world.clock.date(), this.#token);
      },
      settled: (message: { readonly recipients: readonly string[] }, result: Result) =>
        this.#settled(message.recipients.length, result),
      ended: (trouble: string | undefined) => this.#ended(trouble, this.#done > before),
      ...(this.#asked.verbose === true
        ? { heard: (direction: 'to' | 'from', line: string) => this.#heard(direction, line) }
        : {}),
    };
    const session = new SendSession(this.#world.clock, OUR_NAME, batch);
    session.start(this.#world.network.connect(this.#server, undefined, session));
  }

  #ended(trouble: string | undefined, moved: boolean): void {
    this.#open--;
    if (trouble !== undefined) {
      this.#trouble = trouble;
      this.#failedSessions = moved ? 0 : this.#failedSessions + 1;
      // A server may end a session after so many messages; a new one goes on where the last one stopped.
      if (
        this.#many &&
        !this.#stopped &&
        this.#begun < this.#asked.count &&
        this.#failedSessions < MOST_FAILED_SESSIONS
      ) {
        this.#world.clock.defer(() => this.#openSession());
        return;
      }
    }
    if (this.#open === 0) this.#finished();
  }

  #settled(recipients: number, result: Result): void {
    switch (result.kind) {
      case 'accepted':
        if (result.refused.length > 0) this.#refused++;
        else this.#accepted++;
        this.#durations.add(result.took, this.#world.chance.next());
        break;
      case 'refused':
        this.#refused++;
        break;
      case 'unknown':
        this.#unknown++;
        break;
    }
    if (!this.#many) this.#tell(recipients, result);
  }

  /** The result of a single message. */
  #tell(recipients: number, result: Result): void {
    if (result.kind === 'unknown') return;
    for (const { what, reply } of result.refused) this.#process.say(`${what}: ${printable(replyText(reply))}\n`);
    if (result.kind !== 'accepted') return;
    const taken = recipients - result.refused.length;
    const which = result.refused.length === 0 ? '' : ` for ${taken} of ${recipients} recipients`;
    const id = messageId(result.reply);
    this.#process.say(
      `accepted${id === undefined ? '' : ` as ${id}`}${which}: ${printable(replyText(result.reply))}\n`,
    );
  }

  #heard(direction: 'to' | 'from', line: string): void {
    this.#process.say(`${direction === 'to' ? 'C' : 'S'}: ${printable(line)}\n`);
  }

  #conclude(): number {
    this.#progress.end();
    const unsent = this.#asked.count - this.#done;
    if (this.#many) {
      this.#process.say(
        summary({
          accepted: this.#accepted,
          refused: this.#refused,
          unknown: this.#unknown,
          unsent,
          took: this.#world.clock.now() - this.#began,
          durations: this.#durations,
        }),
      );
    }
    if (this.#trouble !== undefined && (unsent > 0 || this.#unknown > 0)) {
      this.#process.complain(`impetus send: ${endpointText(this.#server)}: ${printable(this.#trouble)}\n`);
    }
    return this.#accepted === this.#asked.count ? 0 : 1;
  }
}

/** Our 250 ends with the id of the batch. */
function messageId(reply: Reply): string | undefined {
  return /\b[0-9A-F]{2}\/[0-9A-F]{2}-\d{5}-[0-9A-F]{8}\b/.exec(reply.text)?.[0];
}
