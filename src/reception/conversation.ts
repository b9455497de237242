import { domainOfPath } from '../base/index.ts';
import type { Generation } from '../config/index.ts';
import { mailDate } from '../message/index.ts';
import {
  hasParameter,
  type Reply,
  recipientAsks,
  reply,
  type ServerEvent,
  type ServerWord,
  senderAsks,
  serverWord,
  type TrustedCommand,
} from '../smtp/index.ts';
import type { SpoolError } from '../spool/index.ts';
import type { TlsContext, TlsFacts } from '../world/index.ts';
import { isBlackholed } from './blackhole.ts';
import type { Client } from './client.ts';
import { type CommandPhase, CommandPolicy } from './command-policy.ts';
import { Contexts } from './contexts.ts';
import type { Desk } from './desk.ts';
import { Greeting } from './greeting.ts';
import type { Identity } from './identity.ts';
import { Judge, type Judgement, type RefusedCopy, wantsJudgement } from './judgement.ts';
import { mustAuthenticate } from './login/authentication.ts';
import { Logins } from './login/logins.ts';
import * as options from './options.ts';
import { CORE, phaseOf, type RejectionPhase, recordRejection } from './rejection.ts';
import { transactionMayRelay } from './relay.ts';
import { andClose, goOn, refusal, replies, words } from './replies.ts';
import type { Settings } from './settings.ts';
import type { Speaker } from './speaker.ts';
import { DEFAULT_BINDING, type Outcome, Transaction } from './transaction.ts';
import { obey } from './trusted.ts';

type EventOf<K extends ServerEvent['kind']> = Extract<ServerEvent, { kind: K }>;

/** What we answer to a client: limits, relaying, policy, and the transaction that comes of it. */
export class Conversation implements Outcome {
  transaction: Transaction | undefined = undefined;
  /** While core_validate_accept runs. */
  greeting: Greeting | undefined = undefined;
  readonly #desk: Desk;
  readonly #client: Client;
  readonly #identity: Identity;
  readonly #contexts: Contexts;
  readonly #speaker: Speaker;
  readonly #logins: Logins;
  readonly #policy: CommandPolicy;
  /** Its MAIL waits for Inbound_Throttle_Messages. */
  #throttled: Disposable | undefined = undefined;
  #generation: Generation;
  #turn = 0;
  #rcptParameters: EventOf<'rcpt'>['parameters'] = [];
  #discardAll = false;

  constructor(desk: Desk, identity: Identity, generation: Generation, speaker: Speaker) {
    this.#desk = desk;
    this.#identity = identity;
    this.#client = identity.client;
    this.#contexts = new Contexts(identity.client);
    this.#generation = generation;
    this.#speaker = speaker;
    this.#policy = new CommandPolicy(desk, identity.client, {
      awaits: (turn) => speaker.awaits(turn),
      unknown: () => {
        this.greeting = new Greeting(this.#client, desk.parts.clock, speaker);
        return this.greeting;
      },
      accept: (phase, turn, yes) => this.#acceptCommand(phase, turn, yes),
      refuse: (phase, turn, said, module) => this.#refuseCommand(phase, turn, said, module),
      discard: (phase, turn, yes) => this.#discardCommand(phase, turn, yes),
    });
    this.#logins = new Logins(desk, identity, {
      awaits: (turn) => speaker.awaits(turn),
      say: (turn, word) => speaker.say(turn, word),
      refuse: (turn, said) => this.#refuse(turn, said, 'awaiting mailfrom'),
    });
  }

  get settings(): Settings {
    return this.#identity.settings;
  }

  get generation(): Generation {
    return this.#generation;
  }

  /** Whether this client would have to come again if that generation were live. */
  movedBy(next: Generation): boolean {
    if (next.number === this.#generation.number) return false;
    const { view } = this.settings;
    return view.get(options.reconfigDisconnect) === 'always' || !this.#identity.sameIn(next);
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
        return this.#policy.decide('core_validate_accept', event.turn, this.#banner());
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
      case 'xclient':
      case 'xremoteip':
      case 'xsetcontext':
      case 'xdumpcontext':
        return this.#obey(event);
      case 'starttls':
        return this.#startTls(event.turn);
      case 'auth':
        return this.#logins.begin(event);
      case 'auth-response':
        return this.#logins.respond(event);
      case 'refused':
        if (event.during === 'auth') this.#logins.forget();
        this.#record(event.during === 'over' ? 'receiving body' : phaseOf[event.during], event.reply, CORE);
        return this.#policy.misspoken(event.reply);
      case 'gone':
        return undefined;
    }
  }

  /** The client has gone, or begins anew. What was committed goes on. */
  abandon(): void {
    this.#throttled?.[Symbol.dispose]();
    this.#throttled = undefined;
    this.transaction?.drop();
    this.transaction = undefined;
    this.#contexts.forgetRecipient();
    this.#client.forgetMessage();
  }

  kept(transaction: Transaction): void {
    this.#contexts.receptions += 1;
    this.#finish(goOn(reply(250, '2.0.0', `OK ${transaction.batchId}`)));
  }

  notKept(why: SpoolError): void {
    this.#refuseMessage(why.code === 'IMP_SPOOL_FULL' ? replies.spoolFull : replies.failed, CORE);
  }

  /** The client has gone. */
  leave(): void {
    this.greeting?.end();
    this.#logins.forget();
    this.abandon();
  }

  #obey(event: Extract<ServerEvent, { kind: TrustedCommand }>): void {
    const { current } = this.#desk.parts.configuration;
    const { said, moved } = obey(this.#identity, event, current, () => this.#contexts.variables(this.transaction));
    if (said !== undefined && said.code >= 400) {
      this.#record(this.transaction === undefined ? 'awaiting mailfrom' : 'awaiting rcptto', said, CORE);
      this.#policy.misspoken(said);
    }
    if (event.kind === 'xclient' && moved) this.abandon();
    if (moved) this.#speaker.adopt(this.settings);
    const word = said === undefined ? this.#banner() : goOn(said);
    if (moved) this.#policy.decide('validate_connect', event.turn, word);
    else this.#speaker.say(event.turn, word);
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
    const starts = this.settings.server.startTls && !client.encrypted && this.#tlsContext() !== undefined;
    const keywords = this.settings.keywords[client.encrypted ? 'encrypted' : 'inClear'];
    const text = client.extended ? [first, ...keywords, ...(starts ? ['STARTTLS'] : [])].join('\n') : first;
    this.#policy.decide('validate_ehlo', event.turn, goOn(reply(250, undefined, text)));
  }

  #startTls(turn: number): void {
    const context = this.#tlsContext();
    if (context === undefined) return this.#refuse(turn, replies.noTls, 'awaiting mailfrom');
    const date = this.#desk.parts.clock.date();
    const { from = date, until = date } = context.validity ?? {};
    if (date > until) return this.#refuse(turn, replies.certificateExpired, 'awaiting mailfrom');
    if (date < from) return this.#refuse(turn, replies.certificateNotYetValid, 'awaiting mailfrom');
    this.#speaker.startTls(turn, serverWord(replies.startTls, 'start TLS'), context);
  }

  #tlsContext(): TlsContext | undefined {
    return this.#desk.parts.tls?.server(this.settings.view);
  }

  /** TLS is on, from the first byte or after STARTTLS. */
  secured(facts: TlsFacts): void {
    this.abandon();
    this.#client.secured(facts, this.settings.view, this.settings.verifiedPeerCanRelay);
  }

  #mail(event: EventOf<'mail'>): void {
    const { view, senderDomain, hostName } = this.settings;
    const path =
      event.path === '' || event.path.includes('@') ? event.path : `${event.path}@${senderDomain ?? hostName}`;
    const { parameters, line } = event;
    const transaction = new Transaction(this.#desk, this.#client, this, {
      written: event.path,
      path,
      line,
      utf8: parameters.length > 0 && hasParameter(parameters, 'SMTPUTF8'),
      requests: parameters.length > 0 ? senderAsks(parameters) : undefined,
    });
    this.transaction = transaction;
    transaction.discarding = this.#discardAll;
    this.#client.reversePath = path;
    const most = view.get(options.maxReceptionsPerConnection);
    const trouble =
      this.#reconfigured() ??
      (this.#desk.parts.pressure?.exceeded === true ? replies.memoryExceeded : undefined) ??
      (most > 0 && this.#contexts.receptions >= most ? replies.receptions : undefined) ??
      (this.#identity.fits() ? undefined : replies.sessions) ??
      (mustAuthenticate(view, this.#client) ? replies.authenticationRequired : undefined) ??
      (path === '' && !view.get(options.allowNullEnvelopeSender) ? replies.nullSender : undefined) ??
      (this.#literalRefused(path) ? replies.noValidDomain : undefined);
    if (trouble !== undefined) return this.#refuseSender(event.turn, trouble, CORE);
    if (view.get(options.inboundThrottleMessages) === undefined) return this.#admit(event.turn);
    this.#throttled = this.#desk.throttles.pass(view, (free) => {
      this.#throttled = undefined;
      if (free) this.#admit(event.turn);
      else this.#refuseSender(event.turn, replies.throttled, CORE);
    });
  }

  /** A MAIL that nothing of ours speaks against. */
  #admit(turn: number): void {
    if (this.#desk.hooked && this.transaction !== undefined) this.#contexts.show(this.transaction);
    this.#policy.decide('validate_mailfrom', turn, words.senderAccepted);
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
    this.#contexts.judge(event.line, event.path);
    this.#rcptParameters = event.parameters;
    this.#client.recipient = path;
    const perMessage = settings.view.get(options.maxRecipientsPerMessage);
    const perConnection = settings.view.get(options.maxRecipientsPerConnection);
    if (perMessage > 0 && transaction.recipients.length >= perMessage)
      return this.#refuse(event.turn, replies.recipientsPerMessage);
    if (perConnection > 0 && this.#contexts.recipients >= perConnection)
      return this.#refuse(event.turn, replies.recipientsPerConnection);
    const domain = domainOfPath(path);
    if (domain === undefined || this.#literalRefused(path)) return this.#refuse(event.turn, replies.noValidDomain);
    const sender = transaction.reversePath.slice(transaction.reversePath.lastIndexOf('@') + 1);
    if (!this.#client.mayRelay && !transactionMayRelay(settings.view, sender, domain)) {
      return this.#refuse(event.turn, replies.relayingDenied, 'relaying denied');
    }
    if (isBlackholed(this.#generation, DEFAULT_BINDING, domain)) return this.#refuse(event.turn, replies.blackholed);
    if (this.#desk.hooked) this.#contexts.show(transaction);
    this.#policy.decide('validate_rcptto', event.turn, words.recipientAccepted);
  }

  #data(turn: number): void {
    this.#contexts.forgetRecipient();
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
    this.#contexts.forgetRecipient();
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
    this.#contexts.forgetRecipient();
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
      this.#contexts.judge(`RCPT TO:<${copy.path}>`, copy.path);
      this.#record('validating body', said, module);
      const recipient = transaction.recipients.find((each) => each === copy);
      if (recipient === undefined) continue;
      recipient.refused = said;
      if (!told) transaction.recipients.splice(transaction.recipients.indexOf(recipient), 1);
    }
    this.#contexts.forgetRecipient();
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
    this.#identity.adopt(current);
    this.#speaker.adopt(this.settings);
    return undefined;
  }

  #literalRefused(path: string): boolean {
    return path.endsWith(']') && !this.settings.view.get(options.allowIpLiteral);
  }

  #refuse(turn: number, said: Reply, phase: RejectionPhase = 'awaiting rcptto', module = CORE): void {
    this.#record(phase, said, module);
    this.#contexts.judged(false);
    this.#speaker.say(turn, refusal(said));
  }

  #refuseCommand(phase: CommandPhase, turn: number, said: Reply, module: string): void {
    if (phase === 'validate_mailfrom') return this.#refuseSender(turn, said, module);
    if (phase === 'validate_rcptto') return this.#refuse(turn, said, 'awaiting rcptto', module);
    const connecting = phase !== 'validate_ehlo';
    this.#record(connecting ? 'connect' : 'awaiting ehlo', said, module);
    // In the place of a banner there is nothing to go on with.
    this.#speaker.say(turn, connecting ? andClose(said) : refusal(said));
  }

  #discardCommand(phase: CommandPhase, turn: number, yes: ServerWord): void {
    if (phase === 'validate_rcptto') {
      this.#contexts.judged(false);
      return this.#speaker.say(turn, yes);
    }
    if (phase !== 'validate_mailfrom') this.#discardAll = true;
    else if (this.transaction !== undefined) this.transaction.discarding = true;
    this.#acceptCommand(phase, turn, yes);
  }

  #acceptCommand(phase: CommandPhase, turn: number, yes: ServerWord): void {
    if (phase === 'core_validate_accept') {
      this.greeting = undefined;
      return this.#policy.decide('validate_connect', turn, yes);
    }
    if (phase === 'validate_rcptto') {
      const { rcptPath } = this.#contexts;
      const path = this.#client.recipient ?? rcptPath;
      this.transaction?.add({ written: rcptPath, path, requests: recipientAsks(this.#rcptParameters) });
      this.#contexts.judged(true);
    }
    this.#speaker.say(turn, yes);
  }

  #record(phase: RejectionPhase, said: Reply, module: string): void {
    recordRejection(this.#desk, this.#client, this.#generation.number, {
      phase,
      reply: said,
      module,
      ...this.#contexts.variables(this.transaction),
    });
  }
}
