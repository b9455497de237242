import type { Generation } from '../../config/index.ts';
import type { EcstreamServerEvent } from '../../ecstream/index.ts';
import type { Verdict } from '../../policy/index.ts';
import type { Reply } from '../../smtp/index.ts';
import { type Client, pathVariables } from '../client.ts';
import type { Desk } from '../desk.ts';
import { type Copy, Judge, type Judgement, type RefusedCopy, tarpitEnd, wantsJudgement } from '../judgement.ts';
import { ecstreamIdleTime, inboundThrottleMessages } from '../options.ts';
import { CORE, type RejectionPhase, recordRejection } from '../rejection.ts';
import { replies } from '../replies.ts';
import type { Settings } from '../settings.ts';
import { type Recipient, Transaction } from '../transaction.ts';
import { DEDUP_VARIABLE, type FirstFate } from './dedup.ts';
import { sumOf } from './dedup-keys.ts';
import { envelopeTrouble, recipientPath } from './envelope.ts';
import { Parcel, type ParcelHost } from './parcel.ts';
import { bindingIn, parcelReplies, pathOf } from './parcel-checks.ts';

/** Who carries results to the machine and the pipe. */
export interface IntakeHost {
  readonly settings: Settings;
  readonly generation: Generation;
  readonly gone: boolean;
  /** Whether the client has agreed to keys. */
  readonly dedup: boolean;
  refuseRecipient(seq: number, index: number, said: Reply): void;
  accept(seq: number, id: string): void;
  refuse(seq: number, said: Reply): void;
  /** Policy wants the client gone. */
  disconnect(): void;
  /** What was waited for is there: goes on with that, and then with the next event. */
  proceed(first: () => void): void;
  /** The spool takes more again. */
  readonly spoolDrained: () => void;
}

type MessageEvent = Extract<EcstreamServerEvent, { kind: 'message' }>;

/**
 * Messages of one ECStream connection become receptions: the checks and phases of SMTP, in the same order, without
 * commands and replies between them. Only one message is being judged at a time; any number may be on the way to the
 * disk.
 */
export class StreamIntake implements ParcelHost {
  readonly #desk: Desk;
  readonly #client: Client;
  readonly #host: IntakeHost;
  #parcel: Parcel | undefined;
  /** Policy, a tarpit or the recovery of keys is awaited: no event may come meanwhile. */
  waiting = false;
  /** The spool is behind with a large body. */
  behind = false;
  receptions = 0;
  /** Everything is accepted with a straight face, and dropped (policy at connect). */
  discarding = false;
  /** Of one message. */
  mostRecipients = 1000;
  #recipients = 0;
  #throttled: Disposable | undefined;

  constructor(desk: Desk, client: Client, host: IntakeHost) {
    this.#desk = desk;
    this.#client = client;
    this.#host = host;
  }

  begin({ seq, envelope, body, end, damaged }: MessageEvent): void {
    const parcel = new Parcel(seq, envelope, this.#host.generation, this);
    this.#parcel = parcel;
    const { view } = this.#host.settings;
    const trouble = envelopeTrouble(envelope, view, this.mostRecipients, this.#desk.parts.clock.date());
    if (trouble !== undefined) return this.#refuse(parcel, trouble, 'awaiting mailfrom');
    // The body is at hand, but policy may take its time for the envelope: what is here stays until then.
    parcel.rest = () => this.more(parcel, body, end, damaged);
    this.#known(parcel);
  }

  /** More of the message that was begun last. */
  body(bytes: Uint8Array, end: boolean, damaged: boolean): void {
    if (this.#parcel !== undefined) this.more(this.#parcel, bytes, end, damaged);
  }

  more(parcel: Parcel, bytes: Uint8Array, end: boolean, damaged: boolean): void {
    if (parcel.over) return;
    const { transaction } = parcel;
    if (bytes.length > 0) {
      parcel.scan.see(bytes);
      if (transaction?.append([bytes]) === false) this.behind = true;
    }
    if (!end) return;
    parcel.complete = true;
    if (transaction === undefined) return;
    if (damaged) return this.#refuse(parcel, parcelReplies.damaged, 'receiving body');
    const { key, sum } = parcel;
    if (key !== undefined && sum !== undefined && this.#repeats(parcel, key, sum)) return;
    const { scan } = parcel;
    const trouble = transaction.finish(scan, this.#host.settings);
    if (trouble !== undefined) return this.#refuse(parcel, trouble, 'receiving body');
    this.#judge(parcel, transaction);
  }

  /** The message that has begun will not be finished. */
  cut(): void {
    this.#throttled?.[Symbol.dispose]();
    this.#throttled = undefined;
    const parcel = this.#parcel;
    if (parcel === undefined || parcel.over || parcel.complete) return;
    this.#end(parcel, undefined);
    parcel.transaction?.drop();
    this.#forget();
  }

  parcelKept(parcel: Parcel, id: string): void {
    if (parcel.over) return;
    this.receptions += 1;
    for (const [index, said] of parcel.refused) this.#host.refuseRecipient(parcel.seq, index, said);
    this.#end(parcel, { kind: 'accepted', id, refused: parcel.refused });
    this.#host.accept(parcel.seq, id);
  }

  parcelRefused(parcel: Parcel, said: Reply, module: string): void {
    this.#refuse(parcel, said, 'validating body', module);
  }

  /** A key that is known, or under way, makes the rest needless. */
  #known(parcel: Parcel): void {
    const { dedup, clock } = this.#desk.parts;
    const key = this.#host.dedup ? parcel.envelope.context[DEDUP_VARIABLE] : undefined;
    if (key === undefined || dedup === undefined) return this.#throttle(parcel);
    if (!dedup.ready) {
      this.waiting = true;
      dedup.whenReady(() => this.#goOn(parcel, () => this.#known(parcel)));
      return;
    }
    parcel.key = key;
    parcel.sum = sumOf(key);
    const fate = dedup.known(parcel.sum, clock.date());
    if (fate === undefined) return this.#throttle(parcel);
    this.#shares(parcel, fate);
    this.#forget();
  }

  /**
   * All of it is here. While it came another connection may have brought the same message: the one that is complete first
   * is kept, and its fate is that of all.
   */
  #repeats(parcel: Parcel, key: string, sum: Buffer): boolean {
    const { dedup, clock } = this.#desk.parts;
    const known = dedup?.known(sum, clock.date());
    if (known === undefined && dedup?.joins(key, (fate) => this.#shares(parcel, fate)) !== true) {
      parcel.owned = true;
      return false;
    }
    parcel.transaction?.drop();
    if (known !== undefined) this.#shares(parcel, known);
    this.#forget();
    return true;
  }

  #shares(parcel: Parcel, fate: FirstFate): void {
    if (parcel.over) return;
    parcel.over = true;
    if (fate.kind === 'refused') return this.#host.refuse(parcel.seq, fate.reply);
    for (const [index, said] of fate.refused) this.#host.refuseRecipient(parcel.seq, index, said);
    this.#host.accept(parcel.seq, fate.id);
  }

  /** Inbound_Throttle_Messages: a message waits as a MAIL does, and whatever stands behind it waits with it. */
  #throttle(parcel: Parcel): void {
    const { view } = this.#host.settings;
    if (view.get(inboundThrottleMessages) === undefined) return this.#mail(parcel);
    let waits = false;
    const told = (free: boolean): void => {
      this.#throttled = undefined;
      const go = (): void => (free ? this.#mail(parcel) : this.#refuse(parcel, replies.throttled, 'awaiting mailfrom'));
      if (waits) this.#goOn(parcel, go);
      else go();
    };
    this.#throttled = this.#desk.throttles.pass(view, told, view.get(ecstreamIdleTime));
    waits = this.#throttled !== undefined;
    if (waits) this.waiting = true;
  }

  #mail(parcel: Parcel): void {
    const { settings } = this.#host;
    const client = this.#client;
    const { sender, context } = parcel.envelope;
    const path = pathOf(
      sender,
      true,
      settings.server.senderPaths,
      settings.senderDomain ?? settings.hostName,
      settings,
      parcel.utf8,
    );
    if (typeof path !== 'string') return this.#refuse(parcel, path, 'awaiting mailfrom');
    const binding = bindingIn(context, this.#host.generation);
    if (typeof binding === 'object') return this.#refuse(parcel, binding, 'awaiting mailfrom');
    parcel.binding = binding;
    parcel.transaction = new Transaction(this.#desk, client, parcel, {
      written: sender,
      path,
      line: sender,
      utf8: parcel.utf8,
      requests: undefined,
    });
    parcel.transaction.discarding = this.discarding;
    client.reversePath = path;
    client.messageContext = { ...context };
    if (this.#desk.hooked) {
      Object.assign(client.messageContext, pathVariables('mailfrom', sender, sender));
      client.connectionContext.connection_message_count = String(this.receptions);
    }
    const { policy } = this.#desk.parts;
    if (!policy.has('validate_mailfrom')) return this.#rcpt(parcel);
    this.#ask(parcel, policy.run('validate_mailfrom', client), (verdict) => this.#sender(parcel, verdict));
  }

  #sender(parcel: Parcel, verdict: Verdict): void {
    if (verdict.kind === 'reject' || verdict.kind === 'soft')
      return this.#refuse(parcel, verdict.reply, 'awaiting mailfrom', verdict.module);
    if (verdict.kind === 'discard' && parcel.transaction !== undefined) parcel.transaction.discarding = true;
    this.#rcpt(parcel);
  }

  /** Each recipient in its turn, as far as policy needs no time. */
  #rcpt(parcel: Parcel): void {
    const { policy } = this.#desk.parts;
    const { recipients } = parcel.envelope;
    const asks = policy.has('validate_rcptto');
    while (parcel.next < recipients.length) {
      const index = parcel.next++;
      const path = recipientPath(parcel, index, this.#client, this.#host.settings, this.#recipients);
      if (typeof path !== 'string') {
        this.#refuseRecipient(parcel, index, path.reply, path.phase);
        continue;
      }
      this.#showRecipient(parcel, index);
      if (!asks) {
        this.#add(parcel, index, path);
        continue;
      }
      this.#client.recipient = path;
      const verdict = policy.run('validate_rcptto', this.#client);
      return this.#ask(parcel, verdict, (said) => {
        if (said.kind === 'reject' || said.kind === 'soft')
          this.#refuseRecipient(parcel, index, said.reply, 'awaiting rcptto', said.module);
        else if (said.kind !== 'discard') this.#add(parcel, index, path);
        this.#rcpt(parcel);
      });
    }
    this.#data(parcel);
  }

  /** Its variables, for policy. */
  #showRecipient(parcel: Parcel, index: number): void {
    if (!this.#desk.hooked) return;
    const { connectionContext, messageContext } = this.#client;
    const address = parcel.envelope.recipients[index]?.address ?? '';
    Object.assign(messageContext, pathVariables('rcptto', address, address));
    connectionContext.connection_rcpt_count = String(this.#recipients + 1);
    connectionContext.message_rcpt_count = String(parcel.taken.length + 1);
  }

  #add(parcel: Parcel, index: number, path: string): void {
    const { address = '', context } = parcel.envelope.recipients[index] ?? {};
    const own = context === undefined || Object.keys(context).length === 0 ? undefined : context;
    parcel.transaction?.add({
      written: address,
      path,
      ...(parcel.binding === undefined ? {} : { binding: parcel.binding }),
      ...(own === undefined ? {} : { context: own }),
    });
    parcel.taken.push(index);
    this.#recipients += 1;
  }

  #data(parcel: Parcel): void {
    const { transaction } = parcel;
    if (transaction === undefined) return;
    const [first] = parcel.refused;
    if (transaction.recipients.length === 0 && first !== undefined) return this.#refuse(parcel, first[1], undefined);
    // After a restart a repeat must be judged again: see Dedup.
    if (parcel.refused.length > 0) delete this.#client.messageContext[DEDUP_VARIABLE];
    transaction.begin(this.#host.settings, this.#host.spoolDrained);
    const { rest } = parcel;
    parcel.rest = undefined;
    rest?.();
  }

  #judge(parcel: Parcel, transaction: Transaction): void {
    const { draft } = transaction;
    if (draft === undefined) return this.#discard(parcel, transaction);
    if (!wantsJudgement(this.#desk, 'SMTP')) return this.#commit(transaction);
    this.waiting = true;
    const all = [...transaction.recipients];
    new Judge(this.#desk, 'SMTP', this.#client, draft, transaction.recipients, (judgement) => {
      this.waiting = false;
      this.#host.proceed(() => this.#judged(parcel, transaction, all, judgement));
    }).run();
  }

  /** @param all recipients as they were before policy left some of them out */
  #judged(parcel: Parcel, transaction: Transaction, all: readonly Recipient[], judgement: Judgement): void {
    // Policy may have waited longer than the client did: then nothing is enqueued, as the client will come again. It may
    // have come already, with the same key: then this one is for both.
    const { key, owned } = parcel;
    const awaited = owned && key !== undefined && this.#desk.parts.dedup?.awaited(key) === true;
    if (this.#host.gone && !awaited) {
      this.#end(parcel, undefined);
      return transaction.drop();
    }
    switch (judgement.kind) {
      case 'accepted':
        this.#partly(parcel, transaction, all, judgement.refused);
        return this.#commit(transaction);
      case 'discarded':
        return this.#discard(parcel, transaction);
      case 'refused':
        this.#refuse(parcel, judgement.reply, 'validating body', judgement.module);
        if (judgement.reply === replies.disconnect) this.#host.disconnect();
    }
  }

  /** Policy refused some of the recipients. There is an answer for each, so that nobody need be told by mail as with SMTP. */
  #partly(parcel: Parcel, transaction: Transaction, all: readonly Recipient[], refused: readonly RefusedCopy[]): void {
    if (refused.length === 0) return;
    const before: readonly Copy[] = all;
    const left: Copy[] = transaction.recipients;
    for (const { copy, reply: said, module } of refused) {
      const index = parcel.taken[before.indexOf(copy)];
      if (index === undefined) continue;
      this.#refuseRecipient(parcel, index, said, 'validating body', module);
      left.splice(left.indexOf(copy), 1);
    }
    delete this.#client.messageContext[DEDUP_VARIABLE];
  }

  #discard(parcel: Parcel, transaction: Transaction): void {
    transaction.drop();
    this.parcelKept(parcel, transaction.batchId ?? '');
    this.#forget();
  }

  #commit(transaction: Transaction): void {
    transaction.commit();
    this.#forget();
  }

  #refuseRecipient(parcel: Parcel, index: number, said: Reply, phase: RejectionPhase, module = CORE): void {
    const address = parcel.envelope.recipients[index]?.address ?? '';
    this.#record(parcel, said, phase, module, address);
    parcel.refused.push([index, said]);
  }

  /** @param phase undefined: it was recorded already, recipient by recipient */
  #refuse(parcel: Parcel, said: Reply, phase: RejectionPhase | undefined, module = CORE): void {
    if (parcel.over) return;
    if (phase !== undefined) this.#record(parcel, said, phase, module, '');
    parcel.transaction?.drop();
    this.#end(parcel, { kind: 'refused', reply: said });
    parcel.rest = undefined;
    this.#host.refuse(parcel.seq, said);
    if (this.#parcel === parcel) this.#forget();
  }

  #end(parcel: Parcel, fate: FirstFate | undefined): void {
    parcel.over = true;
    const { dedup, clock } = this.#desk.parts;
    const { key, sum, owned } = parcel;
    if (owned && key !== undefined && sum !== undefined) dedup?.settle(key, sum, fate, clock.date());
  }

  #forget(): void {
    this.#parcel = undefined;
    this.#client.forgetMessage();
  }

  #record(parcel: Parcel, said: Reply, phase: RejectionPhase, module: string, recipient: string): void {
    recordRejection(this.#desk, this.#client, parcel.generation.number, {
      phase,
      reply: said,
      module,
      connection: { ...this.#client.connectionContext },
      message: {
        ...pathVariables('mailfrom', parcel.envelope.sender, parcel.envelope.sender),
        ...(recipient === '' ? {} : pathVariables('rcptto', recipient, recipient)),
        // One that was refused by the disk is not the one that is being judged.
        ...(this.#parcel === parcel ? this.#client.messageContext : parcel.envelope.context),
      },
    });
  }

  /** What policy says, now or later. A disconnect ends the connection at once; a tarpit holds this connection and no other. */
  #ask(parcel: Parcel, answer: Verdict | Promise<Verdict>, then: (verdict: Verdict) => void): void {
    if (answer instanceof Promise) {
      this.waiting = true;
      void answer.then((late) => this.#goOn(parcel, () => this.#ask(parcel, late, then)));
      return;
    }
    if (answer.kind === 'disconnect') {
      this.#refuse(parcel, replies.disconnect, 'awaiting mailfrom');
      return this.#host.disconnect();
    }
    if (answer.kind !== 'tarpit') return then(answer);
    const { clock } = this.#desk.parts;
    this.waiting = true;
    clock.at(tarpitEnd(clock.now(), answer.seconds), () => this.#goOn(parcel, () => then(CONTINUE)));
  }

  #goOn(parcel: Parcel, run: () => void): void {
    this.waiting = false;
    if (!this.#host.gone) return this.#host.proceed(() => parcel.over || run());
    if (!parcel.over) this.#end(parcel, undefined);
  }
}

const CONTINUE: Verdict = { kind: 'continue' };
