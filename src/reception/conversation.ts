import { type Domain, domainOfPath } from '../base/index.ts';
import type { Generation } from '../config/index.ts';
import { mailDate } from '../message/index.ts';
import type { Verdict } from '../policy/index.ts';
import {
  hasParameter,
  type Reply,
  recipientAsks,
  reply,
  type ServerEvent,
  type ServerWord,
  senderAsks,
} from '../smtp/index.ts';
import type { SpoolError } from '../spool/index.ts';
import { mustAuthenticate } from './authentication.ts';
import { type Client, pathVariables } from './client.ts';
import type { Desk } from './desk.ts';
import { Judge, type Judgement, type RefusedCopy, tarpitEnd, wantsJudgement } from './judgement.ts';
import * as options from './options.ts';
import { CORE, phaseOf, type RejectionPhase, recordRejection } from './rejection.ts';
import { transactionMayRelay } from './relay.ts';
import { andClose, goOn, refusal, replies, words } from './replies.ts';
import type { Settings } from './settings.ts';
import { DEFAULT_BINDING, type Outcome, Transaction } from './transaction.ts';

/** Who carries what is said to the machine and the pipe. */
export interface Speaker {
  say(turn: number, word: ServerWord): void;
  /** False when the client has gone, or somebody else has answered. */
  awaits(turn: number): boolean;
  /** The spool is behind: nothing more is to be read until `resume`. */
  pause(): void;
  readonly resume: () => void;
  /** The configuration has moved, and nothing that this client sees. */
  adopt(settings: Settings): void;
}

type CommandPhase = 'validate_connect' | 'validate_ehlo' | 'validate_mailfrom' | 'validate_rcptto';
type EventOf<K extends ServerEvent['kind']> = Extract<ServerEvent, { kind: K }>;

/** What we answer to a client: limits, relaying, policy, and the transaction that comes of it. */
export class Conversation implements Outcome {
  settings: Settings;
  transaction: Transaction | undefined = undefined;
  readonly #desk: Desk;
  readonly #client: Client;
  readonly #speaker: Speaker;
  readonly #viewIn: (generation: Generation) => Settings;
  #generation: Generation;
  #turn = 0;
  #rcptLine = '';
  #rcptPath = '';
  #rcptParameters: EventOf<'rcpt'>['parameters'] = [];
  #receptions = 0;
  #recipients = 0;
  #discardAll = false;

  /** @param viewIn  this client's settings in a generation */
  constructor(
    desk: Desk,
    client: Client,
    generation: Generation,
    viewIn: (generation: Generation) => Settings,
    speaker: Speaker,
  ) {
    this.#desk = desk;
    this.#client = client;
    this.#generation = generation;
    this.#viewIn = viewIn;
    this.#speaker = speaker;
    this.settings = viewIn(generation);
  }

  get generation(): Generation {
    return this.#generation;
  }

  /** Whether this client would have to come again if that generation were live. */
  movedBy(next: Generation): boolean {
    if (next.number === this.#generation.number) return false;
    const { view } = this.settings;
    return view.get(options.reconfigDisconnect) === 'always' || !view.sameIn(next);
  }

  hear(event: ServerEvent): void {
    switch (event.kind) {
      case 'body':
        return this.#body(event);
      case 'mail':
        return this.#mail(event);
      case 'rcpt':
        return this.#rcpt(event);
      case 'data':
        return this.#data(event.turn);
      case 'bdat':
        return this.#chunk(event);
      case 'end-of-data':
        return this.#endOfData(event);
      case 'connect':
        return this.#decide('validate_connect', event.turn, this.#banner());
      case 'ehlo':
      case 'helo':
        return this.#greet(event);
      case 'rset':
        return this.#reset(event.turn);
      case 'quit':
        return this.#speaker.say(
          event.turn,
          andClose(reply(221, '2.0.0', `${this.settings.server.hostName} closing connection`)),
        );
      case 'refused':
        return this.#record(event.during === 'over' ? 'receiving body' : phaseOf[event.during], event.reply, CORE);
      default:
        // The machine makes no other events before STARTTLS, AUTH and the X-commands are offered.
        return undefined;
    }
  }

  /** The client has gone, or begins anew. What was committed goes on. */
  abandon(): void {
    this.transaction?.drop();
    this.transaction = undefined;
    this.#rcptLine = '';
    this.#client.forgetMessage();
  }

  kept(transaction: Transaction): void {
    this.#receptions += 1;
    this.#finish(goOn(reply(250, '2.0.0', `OK ${transaction.batchId}`)));
  }

  notKept(why: SpoolError): void {
    this.#refuseMessage(why.code === 'IMP_SPOOL_FULL' ? replies.spoolFull : replies.failed, CORE);
  }

  #banner(): ServerWord {
    const { server, staticBanner } = this.settings;
    const text =
      staticBanner ?? `${server.hostName} ESMTP ${this.#desk.product} ${mailDate(this.#desk.parts.clock.date())}`;
    return goOn(reply(220, undefined, text));
  }

  #greet(event: EventOf<'ehlo' | 'helo'>): void {
    this.abandon();
    const client = this.#client;
    client.helo = event.name;
    client.extended = event.kind === 'ehlo';
    client.connectionContext.ehlo_string = event.line;
    client.connectionContext.ehlo_domain = event.name;
    const first = `${this.settings.server.hostName} says ${client.extended ? 'EHLO' : 'HELO'} to ${client.remote.ip}`;
    const text = client.extended ? [first, ...this.settings.keywords].join('\n') : first;
    this.#decide('validate_ehlo', event.turn, goOn(reply(250, undefined, text)));
  }

  #mail(event: EventOf<'mail'>): void {
    const { view, senderDomain, hostName } = this.settings;
    const path =
      event.path === '' || event.path.includes('@') ? event.path : `${event.path}@${senderDomain ?? hostName}`;
    const { parameters, line } = event;
    this.transaction = new Transaction(this.#desk, this.#client, this, {
      written: event.path,
      path,
      line,
      utf8: parameters.length > 0 && hasParameter(parameters, 'SMTPUTF8'),
      requests: parameters.length > 0 ? senderAsks(parameters) : undefined,
    });
    this.transaction.discarding = this.#discardAll;
    this.#client.reversePath = path;
    const most = view.get(options.maxReceptionsPerConnection);
    const trouble =
      this.#reconfigured() ??
      (this.#desk.parts.pressure?.exceeded === true ? replies.memoryExceeded : undefined) ??
      (most > 0 && this.#receptions >= most ? replies.receptions : undefined) ??
      (mustAuthenticate(view, this.#client.mayRelay) ? replies.authenticationRequired : undefined) ??
      (path === '' && !view.get(options.allowNullEnvelopeSender) ? replies.nullSender : undefined) ??
      (this.#literalRefused(path) ? replies.noValidDomain : undefined);
    if (trouble !== undefined) return this.#refuseSender(event.turn, trouble, CORE);
    if (this.#desk.hooked) {
      Object.assign(this.#client.messageContext, pathVariables('mailfrom', event.line, event.path));
      this.#client.connectionContext.connection_message_count = String(this.#receptions);
    }
    this.#decide('validate_mailfrom', event.turn, words.senderAccepted);
  }

  #refuseSender(turn: number, said: Reply, module: string): void {
    this.#record('awaiting mailfrom', said, module);
    this.abandon();
    this.#speaker.say(turn, refusal(said));
  }

  #rcpt(event: EventOf<'rcpt'>): void {
    const { transaction, settings } = this;
    if (transaction === undefined) throw new Error('RCPT without a transaction');
    const path = event.path.includes('@')
      ? event.path
      : `${event.path}@${settings.recipientDomain ?? settings.hostName}`;
    this.#rcptLine = event.line;
    this.#rcptPath = event.path;
    this.#rcptParameters = event.parameters;
    this.#client.recipient = path;
    const perMessage = settings.view.get(options.maxRecipientsPerMessage);
    const perConnection = settings.view.get(options.maxRecipientsPerConnection);
    if (perMessage > 0 && transaction.recipients.length >= perMessage)
      return this.#refuse(event.turn, replies.recipientsPerMessage);
    if (perConnection > 0 && this.#recipients >= perConnection)
      return this.#refuse(event.turn, replies.recipientsPerConnection);
    const domain = domainOfPath(path);
    if (domain === undefined || this.#literalRefused(path)) return this.#refuse(event.turn, replies.noValidDomain);
    const sender = transaction.reversePath.slice(transaction.reversePath.lastIndexOf('@') + 1);
    if (!this.#client.mayRelay && !transactionMayRelay(settings.view, sender, domain)) {
      return this.#refuse(event.turn, replies.relayingDenied, 'relaying denied');
    }
    if (this.#isBlackholed(domain)) return this.#refuse(event.turn, replies.blackholed);
    if (this.#desk.hooked) {
      Object.assign(this.#client.messageContext, pathVariables('rcptto', event.line, event.path));
      this.#client.connectionContext.connection_rcpt_count = String(this.#recipients + 1);
      this.#client.connectionContext.message_rcpt_count = String(transaction.recipients.length + 1);
    }
    this.#decide('validate_rcptto', event.turn, words.recipientAccepted);
  }

  #data(turn: number): void {
    this.#rcptLine = '';
    this.transaction?.begin(this.settings, this.#speaker.resume);
    this.#speaker.say(turn, words.readBody);
  }

  #body(event: EventOf<'body'>): void {
    const { transaction } = this;
    if (transaction === undefined) return;
    if (!transaction.begun) transaction.begin(this.settings, this.#speaker.resume);
    if (!transaction.append(event.bytes)) this.#speaker.pause();
  }

  /** A chunk of several is here (RFC 3030 §2); of a message that is too large no more need come. */
  #chunk({ turn, length }: EventOf<'bdat'>): void {
    this.#rcptLine = '';
    if (this.transaction?.tooLarge === true) {
      this.#record('receiving body', replies.messageTooLarge, CORE);
      this.abandon();
      return this.#speaker.say(turn, goOn(replies.messageTooLarge));
    }
    this.#speaker.say(turn, goOn(reply(250, '2.0.0', `${length} octets received`)));
  }

  #endOfData(event: EventOf<'end-of-data'>): void {
    const transaction = this.transaction;
    if (transaction === undefined) throw new Error('a body without a transaction');
    this.#turn = event.turn;
    this.#rcptLine = '';
    if (!transaction.begun) transaction.begin(this.settings, this.#speaker.resume);
    const trouble = transaction.finish(event, this.settings);
    if (trouble !== undefined) return this.#refuseMessage(trouble, CORE);
    const { draft } = transaction;
    if (draft === undefined) return this.#discard(transaction);
    if (!wantsJudgement(this.#desk, 'SMTP')) return transaction.commit();
    new Judge(this.#desk, 'SMTP', this.#client, draft, transaction.recipients, (judgement) =>
      this.#judged(transaction, judgement),
    ).run();
  }

  #judged(transaction: Transaction, judgement: Judgement): void {
    // Policy may have waited longer than the client did: then nothing is enqueued, as the client will come again.
    if (this.transaction !== transaction || !this.#speaker.awaits(this.#turn)) return transaction.drop();
    switch (judgement.kind) {
      case 'accepted':
        this.#partly(transaction, judgement.refused);
        return transaction.commit();
      case 'discarded':
        return this.#discard(transaction);
      case 'refused':
        return this.#refuseMessage(judgement.reply, judgement.module);
    }
  }

  /**
   * Policy refused some of the recipients: the session has one answer for all, so these fail in the queue, which tells
   * the sender, or are left out, when he is not to be told.
   */
  #partly(transaction: Transaction, refused: readonly RefusedCopy[]): void {
    if (refused.length === 0) return;
    const told = this.settings.view.get(options.generateBouncesForPolicyRejections);
    for (const { copy, reply: said, module } of refused) {
      this.#rcptPath = copy.path;
      this.#rcptLine = `RCPT TO:<${copy.path}>`;
      this.#record('validating body', said, module);
      const recipient = transaction.recipients.find((each) => each === copy);
      if (recipient === undefined) continue;
      recipient.refused = said;
      if (!told) transaction.recipients.splice(transaction.recipients.indexOf(recipient), 1);
    }
    this.#rcptLine = '';
  }

  #isBlackholed(domain: Domain): boolean {
    const generation = this.#generation;
    const group = generation.groupOf(DEFAULT_BINDING);
    const value = generation.sending(group, DEFAULT_BINDING, domain).get(options.blackhole);
    return value === 'inline' || value === 'true';
  }

  #discard(transaction: Transaction): void {
    this.#finish(goOn(reply(250, '2.0.0', `OK ${transaction.batchId}`)));
  }

  #refuseMessage(said: Reply, module: string): void {
    this.#record('validating body', said, module);
    this.#finish(refusal(said));
  }

  /** The answer to the final dot. */
  #finish(word: ServerWord): void {
    this.abandon();
    this.#speaker.say(this.#turn, word);
  }

  #reset(turn: number): void {
    const moved = this.#reconfigured();
    if (moved !== undefined) this.#record('awaiting mailfrom', moved, CORE);
    this.abandon();
    this.#speaker.say(turn, moved === undefined ? words.reset : andClose(moved));
  }

  /** Checked where no transaction is lost by it: at MAIL FROM and RSET. @returns the 421 when this client must come again */
  #reconfigured(): Reply | undefined {
    const { current } = this.#desk.parts.configuration;
    if (current.number === this.#generation.number) return undefined;
    if (this.movedBy(current)) return reply(421, undefined, this.settings.view.get(options.reconfigMessage));
    this.#generation = current;
    this.settings = this.#viewIn(current);
    this.#speaker.adopt(this.settings);
    return undefined;
  }

  #literalRefused(path: string): boolean {
    return path.endsWith(']') && !this.settings.view.get(options.allowIpLiteral);
  }

  #refuse(turn: number, said: Reply, phase: RejectionPhase = 'awaiting rcptto', module = CORE): void {
    this.#record(phase, said, module);
    this.#speaker.say(turn, refusal(said));
  }

  /** Asks policy about a command that is in order otherwise. */
  #decide(phase: CommandPhase, turn: number, yes: ServerWord): void {
    const { policy } = this.#desk.parts;
    if (!policy.has(phase)) return this.#accept(phase, turn, yes);
    const verdict = policy.run(phase, this.#client);
    if (!(verdict instanceof Promise)) return this.#apply(phase, turn, yes, verdict);
    void verdict.then((late) => {
      if (this.#speaker.awaits(turn)) this.#apply(phase, turn, yes, late);
    });
  }

  #apply(phase: CommandPhase, turn: number, yes: ServerWord, verdict: Verdict): void {
    switch (verdict.kind) {
      case 'reject':
      case 'soft':
        return this.#refuseBy(phase, turn, verdict.reply, verdict.module ?? CORE);
      case 'disconnect':
        return this.#refuseBy(phase, turn, replies.disconnect, CORE);
      case 'tarpit': {
        const { clock } = this.#desk.parts;
        clock.at(tarpitEnd(clock.now(), verdict.seconds), () => {
          if (this.#speaker.awaits(turn)) this.#accept(phase, turn, yes);
        });
        return;
      }
      case 'discard':
        if (phase === 'validate_rcptto') return this.#speaker.say(turn, yes);
        if (phase !== 'validate_mailfrom') this.#discardAll = true;
        else if (this.transaction !== undefined) this.transaction.discarding = true;
        return this.#accept(phase, turn, yes);
      default:
        return this.#accept(phase, turn, yes);
    }
  }

  #refuseBy(phase: CommandPhase, turn: number, said: Reply, module: string): void {
    if (phase === 'validate_mailfrom') return this.#refuseSender(turn, said, module);
    if (phase === 'validate_rcptto') return this.#refuse(turn, said, 'awaiting rcptto', module);
    this.#record(phase === 'validate_connect' ? 'connect' : 'awaiting ehlo', said, module);
    // In the place of a banner there is nothing to go on with.
    this.#speaker.say(turn, phase === 'validate_connect' ? andClose(said) : refusal(said));
  }

  #accept(phase: CommandPhase, turn: number, yes: ServerWord): void {
    if (phase === 'validate_rcptto') {
      this.transaction?.add(
        this.#rcptPath,
        this.#client.recipient ?? this.#rcptPath,
        recipientAsks(this.#rcptParameters),
      );
      this.#recipients += 1;
    }
    this.#speaker.say(turn, yes);
  }

  #record(phase: RejectionPhase, said: Reply, module: string): void {
    const { transaction } = this;
    recordRejection(this.#desk, this.#client, this.#generation.number, {
      phase,
      reply: said,
      module,
      variables: {
        ...(transaction === undefined ? {} : pathVariables('mailfrom', transaction.line, transaction.written)),
        ...(this.#rcptLine === '' ? {} : pathVariables('rcptto', this.#rcptLine, this.#rcptPath)),
      },
    });
  }
}
