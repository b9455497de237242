import { bindingName, isBeyondAscii, type Millis, Ring } from '../base/index.ts';
import type { Generation } from '../config/index.ts';
import { type Events, recordReception } from '../events/index.ts';
import { type Envelope, type Ids, type Message, type MessageId, messageIdValue, nullId } from '../message/index.ts';
import { type Attempt, type Failure, type Notice, routingDomain, type Undertaker } from '../queue/index.ts';
import type { Reply } from '../smtp/index.ts';
import { type Spool, SpoolError } from '../spool/index.ts';
import type { Chance, Clock } from '../world/index.ts';
import { type Dsn, type DsnParts, type QuotedOriginal, writeDsn } from './dsn.ts';
import type { DsnAction } from './dsn-words.ts';
import {
  bouncesInlineOriginal,
  generateBounces,
  mailerdaemon,
  mdnFailuresNotify,
  softBounceDrainRate,
} from './options.ts';
import { readOriginal } from './read-original.ts';

export interface BouncerParts {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly ids: Ids;
  readonly spool: Spool;
  readonly events: Events;
  /** The live configuration. */
  readonly current: () => Generation;
  /** Our name, as of now. */
  readonly hostname: () => string;
  /** A DSN is on disk: it goes the way of all mail. */
  readonly enqueue: (message: Message) => void;
}

/** Ends failed recipients, with a DSN in their place where one is due. */
export interface Bouncer extends Undertaker {
  /** Messages whose DSN is not on disk yet. */
  readonly pending: number;
  /** Resolves when there are none. */
  settled(): Promise<void>;
}

type Told = Parameters<Undertaker['bury']>[2];

interface Job {
  readonly message: Message;
  readonly action: DsnAction;
  /** Recipients that are finished once the DSN is stored: also those it does not speak of. */
  readonly finished: readonly number[];
  /** What the DSN says, not empty. */
  readonly reported: readonly Reported[];
  readonly to: string;
  /** The report is for mdn_failures_notify: if that fails too, nobody is told. */
  readonly notice: boolean;
  readonly told: Told;
}

interface Reported {
  readonly recipient: number;
  readonly reply: Reply;
  readonly rawReply: Reply;
  readonly attempt: Attempt | undefined;
  readonly until?: Millis | undefined;
}

/** Marks, in the message context, a report to mdn_failures_notify. It lives as long as the message, restarts included. */
const noticeKey = 'mdn_failures_notice';
/** Bodies that are read or being stored at the same time. */
const mostAtOnce = 32;
/** Mail of ours that no policy has given a binding goes out like any other without one. */
const ownBinding = bindingName('default');

/** @see spec/delivery.md 9.1; manual pages generate_bounces, mdn_failures_notify, soft_bounce_drain_rate */
export function bouncer(parts: BouncerParts): Bouncer {
  const { clock, spool, events } = parts;
  const waiting = new Ring<Job>();
  let running = 0;
  let startedThisTurn = 0;
  let troubled = false;
  let settling: (() => void)[] = [];

  /** As many as soft_bounce_drain_rate allows in this turn: a purge of a large queue must not stop the loop. */
  function pump(): void {
    const rate = Math.max(1, parts.current().global.get(softBounceDrainRate));
    while (waiting.length > 0 && running < mostAtOnce && startedThisTurn < rate) {
      const job = waiting.shift();
      if (job === undefined) return;
      if (startedThisTurn === 0) clock.at(clock.now(), nextTurn);
      startedThisTurn += 1;
      running += 1;
      void report(job).then((kept) => ended(job, kept));
    }
  }

  function nextTurn(): void {
    startedThisTurn = 0;
    pump();
  }

  function ended(job: Job, kept: Message | undefined): void {
    running -= 1;
    if (kept === undefined) {
      job.told.kept();
    } else {
      troubled = false;
      // In this order the log tells the failure before the report about it.
      job.told.buried();
      recordReception(events, parts.current(), kept.envelope, kept.envelope.receivedAt);
      parts.enqueue(kept);
    }
    pump();
    if (running > 0 || waiting.length > 0) return;
    for (const tell of settling) tell();
    settling = [];
  }

  /** Never rejects. @returns undefined when the DSN could not be stored: then nothing has changed */
  async function report(job: Job): Promise<Message | undefined> {
    try {
      const id = parts.ids.next(clock.date());
      return await store(job, id, writeDsn(await dsnParts(job, id)));
    } catch (error) {
      // One line for a time of trouble: the failed messages come again, and the spool says more about itself.
      if (!troubled) {
        const why = error instanceof Error ? error.message : String(error);
        events.diagnose(
          'ERROR',
          'bounce',
          `a bounce could not be stored, its message stays queued and fails again later: ${why}`,
        );
      }
      troubled = true;
      return undefined;
    }
  }

  async function dsnParts(job: Job, id: MessageId): Promise<DsnParts> {
    const { message, reported } = job;
    const { envelope } = message;
    const view = viewOf(message, reported[0]?.recipient ?? 0);
    const original = await quoted(message, wantedOriginal(job, view.get(bouncesInlineOriginal)));
    const date = clock.date();
    const hostname = parts.hostname();
    return {
      hostname,
      from: view.get(mailerdaemon) ?? `mailer-daemon@${hostname}`,
      to: job.to,
      messageId: messageIdValue(id, hostname),
      date,
      arrivedAt: envelope.receivedAt,
      action: job.action,
      envelopeId: envelope.requests?.envid,
      failures: reported.map((failure) => ({
        recipient: envelope.recipients[failure.recipient]?.path ?? '',
        reply: failure.reply,
        remoteReply: failure.rawReply,
        host: failure.attempt?.host ?? '',
        address: failure.attempt?.address ?? '',
        lastAttemptAt: failure.attempt === undefined || failure.attempt.stage === noSession ? undefined : date,
        originalRecipient: envelope.recipients[failure.recipient]?.requests?.orcpt,
        until: failure.until,
      })),
      original,
      chance: parts.chance,
    };
  }

  /** A body that is damaged or gone is no reason to stay silent about the failure. */
  async function quoted(message: Message, wanted: 'none' | 'headers' | 'all'): Promise<QuotedOriginal> {
    try {
      using hold = spool.hold(message.at);
      return await readOriginal(hold, wanted);
    } catch (error) {
      if (!(error instanceof SpoolError)) throw error;
      events.diagnose('ERROR', 'bounce', `${message.envelope.batchId}: reported without its header: ${error.message}`);
      return { kind: 'none' };
    }
  }

  function store(job: Job, id: MessageId, dsn: Dsn): Promise<Message> {
    const date = clock.date();
    const envelope: Envelope = {
      batchId: parts.ids.next(date),
      connectionId: nullId,
      receivedAt: date,
      reversePath: '',
      recipients: [{ id, path: job.to, binding: ownBinding }],
      protocol: 'internal',
      peer: '',
      size: dsn.size,
      context: { connection: {}, message: job.notice ? { [noticeKey]: 'true' } : {} },
      // Its To field has the address as it is.
      ...(isBeyondAscii(job.to) ? { requests: { utf8Header: true } } : {}),
    };
    const draft = spool.draft();
    draft.append(dsn.segments);
    return new Promise((kept, refused) => {
      const told = { kept: (at: Message['at']) => kept({ at, envelope, traits: dsn.traits }), refused };
      if (job.finished.length === 0) draft.commit(envelope, dsn.traits, told);
      else spool.replace(job.message.at, job.finished, draft, envelope, dsn.traits, told);
    });
  }

  function viewOf(message: Message, recipient: number) {
    const generation = parts.current();
    const to = message.envelope.recipients[recipient];
    if (to === undefined) return generation.global;
    const written = to.path.slice(to.path.lastIndexOf('@') + 1);
    return generation.sending(
      generation.groupOf(to.binding),
      to.binding,
      routingDomain(generation, to.binding, written),
    );
  }

  /** Whom to tell of a failure; undefined: nobody. */
  function reader(message: Message, failure: Failure): { readonly to: string; readonly notice: boolean } | undefined {
    if (failure.quiet) return undefined;
    const view = viewOf(message, failure.recipient);
    if (!view.get(generateBounces)) return undefined;
    const { reversePath, context } = message.envelope;
    if (reversePath !== '') {
      // RFC 3461 §4.1: failures are told of unless NOTIFY says otherwise.
      const notify = message.envelope.recipients[failure.recipient]?.requests?.notify;
      return notify === undefined || notify.includes('FAILURE') ? { to: reversePath, notice: false } : undefined;
    }
    const to = view.get(mdnFailuresNotify);
    return to === undefined || context.message[noticeKey] !== undefined ? undefined : { to, notice: true };
  }

  /** What the sender asked for wins over what we usually return; what has not failed is never returned whole. */
  function wantedOriginal({ message, action }: Job, usual: 'none' | 'headers' | 'all'): 'none' | 'headers' | 'all' {
    const ret = message.envelope.requests?.ret;
    if (action !== 'failed') return usual === 'none' && ret === undefined ? 'none' : 'headers';
    return ret === undefined ? usual : ret === 'FULL' ? 'all' : 'headers';
  }

  function tell(message: Message, action: Notice['action'], notices: readonly Notice[]): void {
    const all = notices.map(({ recipient }) => recipient);
    const finished = action === 'delayed' ? [] : all;
    const done = (): void => {
      if (finished.length > 0) spool.done(message.at, finished);
    };
    const to = message.envelope.reversePath;
    if (to === '' || !viewOf(message, all[0] ?? 0).get(generateBounces)) return done();
    const reported = notices.map(({ recipient, outcome, until }) => {
      return { recipient, reply: outcome.reply, rawReply: outcome.reply, attempt: outcome.attempt, until };
    });
    // Delivered is delivered, told or not: it must not be delivered again for want of a notice.
    waiting.push({
      message,
      action,
      finished,
      reported,
      to,
      notice: false,
      told: { buried: () => undefined, kept: done },
    });
    pump();
  }

  return {
    bury(message, failed, told) {
      const readers = failed.map((failure) => reader(message, failure));
      const first = readers.find((each) => each !== undefined);
      if (first === undefined) {
        spool.done(message.at, indices(failed));
        told.buried();
        return;
      }
      // One reader for all: recipients of different domains may name different mdn_failures_notify, the first is told.
      const reported = failed.filter((_, index) => readers[index] !== undefined);
      const finished = indices(failed);
      waiting.push({ message, action: 'failed', finished, reported, to: first.to, notice: first.notice, told });
      pump();
    },
    tell(message, notices) {
      for (const action of ['relayed', 'delivered', 'delayed'] as const) {
        const same = notices.filter((notice) => notice.action === action);
        if (same.length > 0) tell(message, action, same);
      }
    },
    get pending() {
      return running + waiting.length;
    },
    settled() {
      if (running === 0 && waiting.length === 0) return Promise.resolve();
      return new Promise((resolve) => settling.push(resolve));
    },
  };
}

/** Where the logs say that no session was involved. */
const noSession = 22;

const indices = (failed: readonly Failure[]): readonly number[] => failed.map((failure) => failure.recipient);
