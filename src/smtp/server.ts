import { type Millis, millis, type Segments } from '../base/index.ts';
import { hasParameter } from './asks.ts';
import { readAuthResponse } from './auth-lines.ts';
import { Chunks, misplacedChunk, readChunkSize } from './bdat.ts';
import { BodyReader } from './body-reader.ts';
import { readArgument } from './command-argument.ts';
import { HeldBytes } from './held-bytes.ts';
import type { Machine } from './machine.ts';
import { type Reply, replyLines } from './reply.ts';
import {
  type GoneReason,
  type ServerEvent,
  type ServerSettings,
  type ServerState,
  type ServerWord,
  serverDefaults,
} from './server-events.ts';
import { type Command, type CommandState, commands, lineLimit, type Question, serverReplies } from './server-table.ts';

/** @param settings  what differs from `serverDefaults` */
export const smtpServer = (settings: Partial<ServerSettings> = {}): SmtpServer =>
  new SmtpServer({ ...serverDefaults, ...settings });

/**
 * The receiving side of SMTP (RFC 5321, 2920, 1870, 6152, 2034, 3207, 4954) without I/O.
 *
 * The driver feeds `receive`, drains `next` and answers with `say`; when `next` has nothing it sends what `take` gives:
 * the replies of a pipelined group in one piece. The first event is `connect` and wants the banner as its word, the last
 * is `gone`.
 */
export class SmtpServer implements Machine<ServerEvent, ServerWord> {
  /** May be replaced at any time; the next command sees it. */
  settings: ServerSettings;
  #state: ServerState = 'connect';
  #greeted = false;
  #encrypted = false;
  /** A login was granted: RFC 4954 §4 allows one. */
  #authenticated = false;
  readonly #held = new HeldBytes();
  /** The rest of a line that was too long is on its way. */
  #skipping = false;
  /** Some command came before the reply to the one before it: from then on a bare LF is no line end. */
  #pipelined = false;
  #out = '';
  #turn = 0;
  /** The question that waits for its word. */
  #asked: Question | undefined;
  #body: BodyReader | undefined;
  /** See `mostBadCommands`. */
  #badCommands = 0;
  readonly #chunks = new Chunks();
  /** What the last MAIL asked for. */
  #utf8 = false;
  #binary = false;
  readonly #notices: ServerEvent[] = [];
  #now: Millis = millis(0);
  #deadline: Millis | undefined;

  constructor(settings: ServerSettings) {
    this.settings = settings;
  }

  get state(): ServerState {
    return this.#state;
  }

  /** TLS is on: STARTTLS is out of place. */
  get encrypted(): boolean {
    return this.#encrypted;
  }

  get buffered(): number {
    return this.#held.length;
  }

  get waits(): 'bytes' | 'word' {
    return this.#asked === undefined ? 'bytes' : 'word';
  }

  /** Part of a line does not put it off, part of a body does. */
  get deadline(): Millis | undefined {
    return this.#deadline;
  }

  receive(chunk: Uint8Array, now: Millis): void {
    this.#now = now;
    if (this.#state === 'over' || this.#state === 'tls' || chunk.length === 0) return;
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    this.#held.add(bytes);
    if (this.#state === 'body' || this.#state === 'bdat') this.#waitForBytes();
  }

  next(): ServerEvent | undefined {
    if (this.#notices.length > 0) return this.#notices.shift();
    if (this.#asked !== undefined) return undefined;
    switch (this.#state) {
      case 'connect':
        this.#ask(CONNECT);
        return { turn: this.#turn, kind: 'connect' };
      case 'body':
        return this.#readBody();
      case 'bdat':
        return this.#readChunk();
      case 'validating':
        return this.#endOfData();
      case 'tls':
      case 'over':
        return undefined;
      default:
        return this.#readLines(this.#state);
    }
  }

  say(turn: number, word: ServerWord, now: Millis): void {
    const asked = this.#asked;
    if (turn !== this.#turn || asked === undefined) return;
    this.#now = now;
    this.#asked = undefined;
    if (word.then === 'read body' && this.buffered > 0) {
      // RFC 2920 §3.1: DATA ends a group. Who goes on without the 354 may be smuggling commands or mail.
      this.#tellRefusal(serverReplies.dataTooEarly);
      this.#end('protocol deviation');
      return;
    }
    if (word.then === 'start TLS' && this.buffered > 0 && this.settings.startTlsInjection === 'reject') {
      this.#refuse(serverReplies.startTlsInjection);
      this.#end('protocol deviation');
      return;
    }
    this.#out += replyLines(word.reply, this.settings.enhancedCodes);
    if (word.then === 'close') {
      this.#end(asked.asks === 'quit' ? 'quit' : 'closed');
      return;
    }
    this.#move(asked, word);
    if (this.#state === 'tls') this.#deadline = millis(now + this.settings.handshake);
    else this.#waitForBytes();
  }

  /**
   * The pipe is encrypted: after STARTTLS, or before its first byte. What was known of the client is forgotten (RFC 3207
   * §4.2), and what came in clear and was not read yet is thrown away.
   */
  secured(now: Millis): void {
    this.#now = now;
    this.#encrypted = true;
    if (this.#state !== 'tls') return;
    this.#state = 'start';
    this.#greeted = false;
    this.#authenticated = false;
    this.#pipelined = false;
    this.#waitForBytes();
  }

  /** Whether that event still waits for its word. */
  awaits(turn: number): boolean {
    return this.#asked !== undefined && turn === this.#turn;
  }

  /** The client could not send, because we did not read: its time begins again. */
  excuse(now: Millis): void {
    this.#now = now;
    if (this.#deadline !== undefined) this.#waitForBytes();
  }

  /**
   * Sends these lines ahead of the reply that is awaited, as its first lines: they are to be written with its code and a
   * hyphen. Only while it is awaited, else nothing happens.
   */
  preface(lines: readonly string[]): void {
    if (this.#asked !== undefined) this.#out += lines.map((line) => `${line}\r\n`).join('');
  }

  /** Says this and ends, whatever the client is doing: for a server that stops, or a session that is not wanted. */
  dismiss(said: Reply): void {
    if (this.#state === 'over') return;
    if (this.#state !== 'tls') this.#out += replyLines(said, this.settings.enhancedCodes);
    this.#end('closed');
  }

  take(): Segments {
    if (this.#out === '') return NOTHING;
    const bytes = Buffer.from(this.#out, 'latin1');
    this.#out = '';
    return [bytes];
  }

  expire(now: Millis): void {
    if (this.#deadline === undefined || now < this.#deadline) return;
    if (this.#state === 'tls') {
      this.#end('handshake timeout');
      return;
    }
    const { hostName, enhancedCodes } = this.settings;
    this.#out += replyLines({ code: 421, enhanced: '4.4.2', text: `${hostName} idle timeout` }, enhancedCodes);
    this.#end('idle timeout');
  }

  #ask(rule: Question): void {
    this.#turn += 1;
    this.#asked = rule;
    this.#deadline = undefined;
  }

  #move(asked: Question, word: ServerWord): void {
    const { asks, leadsTo } = asked;
    if (asks === 'bdat') {
      // RFC 3030 §2: a chunk that failed ends the transaction, those behind it are out of place.
      if (word.reply.code >= 400) this.#chunks.forget();
      this.#state = word.reply.code >= 400 ? this.#idle : 'chunks';
      return;
    }
    if (asks === 'auth') {
      this.#state = word.then === 'challenge' ? 'auth' : this.#idle;
      if (word.reply.code < 300) this.#authenticated = true;
      return;
    }
    if (asks === 'end-of-data' && word.reply.code < 400) this.#badCommands = 0;
    if (word.reply.code >= 400 && asks !== 'connect' && asks !== 'end-of-data') return;
    if (asks === 'ehlo' || asks === 'helo') this.#greeted = true;
    if (asks === 'xclient') {
      this.#greeted = false;
      this.#authenticated = false;
    }
    if (leadsTo === 'the same') return;
    this.#chunks.forget();
    if (leadsTo === 'tls') {
      if (word.then !== 'start TLS') return;
      this.#state = 'tls';
      this.#held.clear();
      this.#skipping = false;
    } else if (leadsTo === 'idle') {
      this.#state = this.#idle;
    } else if (leadsTo !== 'body') {
      this.#state = leadsTo;
    } else if (word.then === 'read body') {
      this.#state = 'body';
      this.#body = new BodyReader();
    }
  }

  get #idle(): 'ready' | 'start' {
    return this.#greeted ? 'ready' : 'start';
  }

  #waitForBytes(): void {
    this.#deadline = this.settings.idle > 0 ? millis(this.#now + this.settings.idle) : undefined;
  }

  #end(why: GoneReason): void {
    this.#state = 'over';
    this.#asked = undefined;
    this.#deadline = undefined;
    this.#held.clear();
    this.#body = undefined;
    this.#chunks.forget();
    this.#notices.push({ turn: this.#turn, kind: 'gone', why });
  }

  /** A 4xx or 5xx of the machine's own. It becomes a notice, so it is no event yet. */
  #refuse(said: Reply, during = this.#state): undefined {
    if (!this.#tooMany()) this.#tellRefusal(said, during);
    return undefined;
  }

  /** Counts a command that brought no mail nearer. @returns whether it was one too many: then the session has ended */
  #tooMany(): boolean {
    const { mostBadCommands } = this.settings;
    this.#badCommands += 1;
    if (mostBadCommands === 0 || this.#badCommands <= mostBadCommands) return false;
    this.#tellRefusal(serverReplies.tooManyBadCommands);
    this.#end('protocol deviation');
    return true;
  }

  #tellRefusal(said: Reply, during = this.#state): void {
    this.#out += replyLines(said, this.settings.enhancedCodes);
    this.#notices.push({ turn: this.#turn, kind: 'refused', reply: said, during });
  }

  #readBody(): ServerEvent | undefined {
    if (this.#held.length === 0 || this.#body === undefined) return undefined;
    const bytes: Uint8Array[] = [];
    const behind = this.#body.read(this.#held.bytes, this.#held.at, bytes);
    if (behind === -1) {
      this.#held.clear();
    } else {
      this.#held.at = behind;
      this.#state = 'validating';
    }
    if (bytes.length > 0) return { turn: this.#turn, kind: 'body', bytes };
    return behind === -1 ? undefined : this.#endOfData();
  }

  #readChunk(): ServerEvent | undefined {
    const octets = this.#chunks.take(this.#held.bytes, this.#held.at);
    this.#held.at += octets.length;
    if (octets.length > 0 && !this.#chunks.refused) return { turn: this.#turn, kind: 'body', bytes: [octets] };
    const chunk = this.#chunks.close();
    if (chunk === undefined) return undefined;
    if (chunk.refusal !== undefined) {
      this.#state = chunk.back;
      this.#refuse(chunk.refusal);
      return this.#notices.shift();
    }
    if (chunk.size.last) {
      this.#state = 'validating';
      return this.#endOfData();
    }
    this.#ask(CHUNK);
    return { turn: this.#turn, kind: 'bdat', length: chunk.size.octets };
  }

  #bdat(text: string, state: CommandState, early: Reply | undefined): undefined {
    if (!this.settings.offers.chunking) return this.#refuse(serverReplies.notImplemented);
    const size = readChunkSize(text);
    if (size === undefined) {
      this.#refuse(serverReplies.badChunk);
      // Nobody knows how many octets follow: read as commands they could be anything.
      this.#end('protocol deviation');
      return undefined;
    }
    this.#chunks.begin(size, early ?? misplacedChunk(state), state);
    this.#state = 'bdat';
    return undefined;
  }

  #endOfData(): ServerEvent | undefined {
    const body = this.#chunks.end() ?? this.#body;
    if (body === undefined) return undefined;
    this.#body = undefined;
    this.#ask(END_OF_DATA);
    const { length, dots, lone, eightBit } = body;
    return { turn: this.#turn, kind: 'end-of-data', length, dots, lone, eightBit };
  }

  /** Goes through whole lines until one makes an event. */
  #readLines(state: CommandState | 'auth'): ServerEvent | undefined {
    for (;;) {
      const lf = this.#held.bytes.indexOf(LF, this.#held.at);
      if (lf === -1) {
        this.#keepPart();
        return undefined;
      }
      const event = this.#readLine(lf, state) ?? this.#notices.shift();
      if (event !== undefined) return event;
      if (this.#chunks.open) return this.#readChunk();
    }
  }

  /** What is left is no whole line: kept, unless it is already too long for one. */
  #keepPart(): void {
    const length = this.buffered;
    if (this.#skipping || (length >= SHORTEST_LIMIT && length >= this.#limitAt(this.#held.at))) {
      this.#skipping = true;
      this.#held.at = this.#held.bytes.length;
    }
  }

  #readLine(lf: number, state: CommandState | 'auth'): ServerEvent | undefined {
    const { bytes, at: from } = this.#held;
    const length = lf + 1 - from;
    this.#held.at = lf + 1;
    this.#waitForBytes();
    if (this.buffered > 0 || this.#out !== '') this.#pipelined = true;
    const tooLong = this.#skipping || (length > SHORTEST_LIMIT && length > this.#limitAt(from));
    // Whatever the answer to a challenge is, another one is asked for at most.
    if (state === 'auth') this.#state = this.#idle;
    if (tooLong) {
      this.#skipping = false;
      return this.#refuse(serverReplies.lineTooLong, state);
    }
    const bare = lf === from || bytes[lf - 1] !== CR;
    if (bare && this.#pipelined) return this.#refuse(serverReplies.bareLineFeed, state);
    const line = bytes.toString('latin1', from, bare ? lf : lf - 1);
    return state === 'auth' ? this.#authResponse(line) : this.#command(line, state);
  }

  #limitAt(from: number): number {
    if (this.#state === 'auth') return lineLimit('AUTH');
    return lineLimit(this.#held.bytes.toString('latin1', from, from + 4).toUpperCase());
  }

  #authResponse(line: string): ServerEvent | undefined {
    const bytes = readAuthResponse(line);
    if ('code' in bytes) return this.#refuse(bytes, 'auth');
    this.#ask(AUTH_RESPONSE);
    return { turn: this.#turn, kind: 'auth-response', bytes };
  }

  #command(line: string, state: CommandState): ServerEvent | undefined {
    const blank = line.indexOf(' ');
    const verb = (blank === -1 ? line : line.slice(0, blank)).toUpperCase();
    const command = commands.get(verb);
    if (command === undefined || (command.trusted !== undefined && !this.settings.trusts.includes(command.trusted)))
      return this.#refuse(serverReplies.unknownCommand);
    const ungreeted = state === 'start' && this.settings.requireEhlo && !command.early;
    const early = ungreeted ? serverReplies.greetingNeeded : undefined;
    if (verb === 'BDAT') return this.#bdat(blank === -1 ? '' : line.slice(blank + 1), state, early);
    if (early !== undefined) return this.#refuse(early);
    if (verb === 'STARTTLS' && !this.settings.startTls) return this.#refuse(serverReplies.notImplemented);
    if (verb === 'AUTH' && !this.settings.auth) return this.#refuse(serverReplies.notImplemented);
    const rule = command.in[state];
    if ('asks' in rule) return this.#question(rule, command, line, blank === -1 ? line.length : blank + 1);
    if (rule.says.code >= 400) return this.#refuse(rule.says);
    if (!this.#tooMany()) this.#out += replyLines(rule.says, this.settings.enhancedCodes);
    return undefined;
  }

  /** @param from  index of the argument */
  #question(rule: Question, command: Command, line: string, from: number): ServerEvent | undefined {
    const { asks } = rule;
    const { settings } = this;
    if (asks === 'auth' && this.#authenticated) return this.#refuse(serverReplies.badSequence);
    const read = readArgument({ turn: this.#turn + 1, asks, command, line, from, utf8: this.#utf8, settings });
    if ('code' in read) return this.#refuse(read);
    if (asks === 'starttls' && this.#encrypted) return this.#refuse(serverReplies.badSequence);
    if (asks === 'rset' && (this.#state === 'start' || this.#state === 'ready') && this.#tooMany()) return undefined;
    // RFC 3030 §3: binary content has no end that DATA could find.
    if (asks === 'data' && this.#binary) return this.#refuse(serverReplies.badSequence);
    if (read.kind === 'mail') {
      const { parameters } = read;
      this.#utf8 = hasParameter(parameters, 'SMTPUTF8');
      this.#binary = parameters.some(({ key, value }) => key === 'BODY' && value?.toUpperCase() === 'BINARYMIME');
    }
    this.#ask(rule);
    return read;
  }
}

const LF = 10;
const CR = 13;
const NOTHING: Segments = [];
const SHORTEST_LIMIT = 2048;
/** What no verb asks, so it is not in the table. Whatever the word, the conversation moves on. */
const CONNECT: Question = { asks: 'connect', leadsTo: 'start' };
const CHUNK: Question = { asks: 'bdat', leadsTo: 'chunks' };
const AUTH_RESPONSE: Question = { asks: 'auth', leadsTo: 'idle' };
const END_OF_DATA: Question = { asks: 'end-of-data', leadsTo: 'idle' };
