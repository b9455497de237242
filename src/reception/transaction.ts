import { type BindingName, bindingName, isBeyondAscii, type Millis, type Segments } from '../base/index.ts';
import type { Generation } from '../config/index.ts';
import { recordReception } from '../events/index.ts';
import {
  type BodyTraits,
  type Envelope,
  type MessageId,
  mailDate,
  messageIdValue,
  type RecipientRequests,
  type Refusal,
  receivedField,
  type SenderRequests,
  type SpoolAddress,
} from '../message/index.ts';
import type { Reply } from '../smtp/index.ts';
import type { Draft, SpoolError, Told } from '../spool/index.ts';
import type { Client } from './client.ts';
import { HeaderWatch } from './content/header-watch.ts';
import type { Desk } from './desk.ts';
import { Intake } from './intake.ts';
import { replies } from './replies.ts';
import type { Settings } from './settings.ts';

/** An accepted RCPT. */
export interface Recipient {
  /** As the client wrote it: trace fields and variables keep it. */
  readonly written: string;
  /** The same with a domain, when it had none. */
  readonly path: string;
  binding: BindingName;
  readonly requests: RecipientRequests | undefined;
  /** Policy would not have this one: the queue tells the sender. */
  refused: Refusal | undefined;
  /** Variables of this recipient alone (ECStream). */
  readonly context?: Readonly<Record<string, string>>;
}

/** A recipient as `add` takes it. */
type Added = Pick<Recipient, 'written' | 'path'> & Partial<Pick<Recipient, 'binding' | 'requests' | 'context'>>;

/** Hears how a transaction ended after its commit. */
export interface Outcome {
  /** What the session works with. */
  readonly generation: Generation;
  kept(transaction: Transaction): void;
  notKept(why: SpoolError): void;
}

/** What was seen while the body went by. */
export interface Framing {
  /** Bytes of the body. */
  readonly length: number;
  readonly dots: boolean;
  readonly lone: boolean;
  /** Bytes above 127. */
  readonly eightBit: boolean;
}

export const DEFAULT_BINDING = bindingName('default');

/** From MAIL to the answer after the final dot. */
export class Transaction implements Told {
  /** As the client wrote it; empty for the null reverse-path. */
  readonly written: string;
  /** With a domain, when it had none. */
  readonly reversePath: string;
  readonly line: string;
  readonly recipients: Recipient[] = [];
  /** Accepted with a straight face, and dropped (policy). */
  discarding = false;
  batchId: MessageId | undefined = undefined;
  draft: Draft | undefined = undefined;
  readonly #desk: Desk;
  readonly #client: Client;
  readonly #outcome: Outcome;
  readonly #utf8: boolean;
  #requests: SenderRequests | undefined;
  #receivedAt: Millis | undefined = undefined;
  #header: HeaderWatch | undefined = undefined;
  #intake: Intake | undefined = undefined;
  #bytes = 0;
  #most = 0;
  tooLarge = false;
  #traits: BodyTraits = NO_TRAITS;
  #envelope: Envelope | undefined = undefined;

  constructor(
    desk: Desk,
    client: Client,
    outcome: Outcome,
    sender: {
      readonly written: string;
      readonly path: string;
      readonly line: string;
      /** SMTPUTF8 was asked for. */
      readonly utf8: boolean;
      readonly requests: SenderRequests | undefined;
    },
  ) {
    this.#desk = desk;
    this.#client = client;
    this.#outcome = outcome;
    this.written = sender.written;
    this.reversePath = sender.path;
    this.line = sender.line;
    this.#utf8 = sender.utf8;
    this.#requests = sender.requests;
  }

  /** On its way to the disk: `outcome` will be told. */
  get committed(): boolean {
    return this.#envelope !== undefined;
  }

  /** DATA or a first BDAT has come. */
  get begun(): boolean {
    return this.batchId !== undefined;
  }

  add(recipient: Added): void {
    const { binding = DEFAULT_BINDING, requests } = recipient;
    this.recipients.push({ ...recipient, binding, requests, refused: undefined });
  }

  /** DATA: the draft begins with our Received field. @param drained  called when the draft takes more again */
  begin(settings: Settings, drained: () => void): void {
    const { clock, ids, spool } = this.#desk.parts;
    this.#receivedAt = clock.date();
    this.batchId = ids.next(this.#receivedAt);
    this.#header = new HeaderWatch();
    this.#most = settings.server.maxMessageSize;
    // Policy may have discarded every recipient.
    if (this.discarding || this.recipients.length === 0) return;
    this.draft = spool.draft();
    this.draft.drained = drained;
    const { batchId } = this;
    const at = this.#receivedAt;
    const { loneInHeaders, loneInBody } = settings;
    const binary = this.#requests?.body === 'BINARYMIME';
    this.#intake = new Intake(
      {
        date: settings.dateHeader,
        messageId: settings.messageIdHeader,
        missing: settings.missingHeaders,
        lines: binary ? undefined : settings.lineLimit,
        trace: settings.traceHeaders,
        fixLineEnds:
          loneInHeaders === 'fix' || loneInBody === 'fix'
            ? // With a fixed header and a pedantic body the fixer tells which of the two had what.
              { header: loneInHeaders === 'fix', body: loneInBody !== 'ignore' && !binary }
            : undefined,
      },
      {
        date: () => `Date: ${mailDate(at)}\r\n`,
        messageId: () => `Message-ID: ${messageIdValue(batchId, settings.receivedHost)}\r\n`,
      },
      settings.traceHeaders ? this.#trace(settings, batchId, at) : undefined,
    );
  }

  /** Who sent it as the envelope has it (RFC 5321 §4.4), and how it came here. */
  #trace(settings: Settings, id: MessageId, date: Millis): Buffer {
    const field = receivedField({
      remote: this.#client.peer,
      helo: this.#client.helo,
      host: settings.receivedHost,
      reversePath: this.written,
      product: this.#desk.product,
      protocol: traceName(this.#client, this.#utf8),
      id,
      recipients: this.recipients.length === 1 ? this.recipients.map((each) => each.written) : [],
      date,
    });
    const { login } = this.#client;
    // RFC 8601 §2.7.4. Who reads the message learns that somebody has logged in, and not as whom.
    const results =
      login === undefined
        ? ''
        : `Authentication-Results: ${settings.receivedHost};\r\n\tauth=pass (${login.toLowerCase()}) smtp.auth=xxxx\r\n`;
    return Buffer.concat([Buffer.from(`Return-Path: <${this.written}>\r\n${results}`, 'latin1'), field]);
  }

  /** @returns false: no more until `drained` */
  append(bytes: Segments): boolean {
    for (const view of bytes) {
      this.#bytes += view.length;
      this.#header?.see(view);
    }
    if (this.#most > 0 && this.#bytes > this.#most) {
      this.tooLarge = true;
      this.drop();
    }
    if (this.draft === undefined || this.#intake === undefined) return true;
    const ready = this.#intake.pass(bytes);
    return ready.length === 0 || this.draft.append(ready);
  }

  /**
   * The final dot, the last chunk or the last frame.
   *
   * @returns why the message is refused for what it is, undefined when it is not
   */
  finish(end: Framing, settings: Settings): Reply | undefined {
    const header = this.#header;
    if (this.tooLarge || header === undefined) return replies.messageTooLarge;
    this.#header = undefined;
    const facts = header.facts();
    if (facts.looping) return replies.mailLoop;
    const intake = this.#intake;
    const last = intake?.finish() ?? [];
    if (last.length > 0) this.draft?.append(last);
    // Binary content is no text: what would be a line end alone there is data (RFC 3030 §3).
    const binary = this.#requests?.body === 'BINARYMIME';
    const lone = end.lone && !binary;
    if (lone || (binary && end.lone && LONE.test(header.text()))) {
      const trouble = this.#loneTrouble(header.text(), facts.length < end.length, settings);
      if (trouble !== undefined) return trouble;
    }
    if (intake?.trouble !== undefined) return intake.trouble;
    if (intake?.dateMissing === true) this.#client.messageContext.rfc2822_date_missing = 'true';
    if (this.#utf8 && end.eightBit && isBeyondAscii(header.text()))
      this.#requests = { ...this.#requests, utf8Header: true };
    const dots = end.dots || (intake?.dots ?? false);
    if (dots || lone || end.eightBit) {
      // A line made by fixing may begin with a dot; to say so when none does costs a search and no more.
      this.#traits = {
        dots,
        lone: lone && settings.loneInBody === 'ignore',
        ...(end.eightBit ? { eightBit: true } : {}),
      };
    }
    return undefined;
  }

  /** @param header  with its blank line, if it has one */
  #loneTrouble(header: string, bodied: boolean, settings: Settings): Reply | undefined {
    const inHeader = LONE.test(header);
    if (inHeader && settings.loneInHeaders === 'pedantic') {
      const fields = header.slice(0, header.lastIndexOf('\n', header.length - 2) + 1);
      return bodied && !LONE.test(fields) ? replies.headerEnd : replies.loneInHeaders;
    }
    if (this.#requests?.body === 'BINARYMIME') return undefined;
    const inBody = this.#intake?.fixer?.changedBody ?? !inHeader;
    return inBody && settings.loneInBody === 'pedantic' ? replies.loneInBody : undefined;
  }

  /** Answered by `outcome.kept` or `outcome.notKept`, later. */
  commit(): void {
    const { batchId, draft } = this;
    if (batchId === undefined || draft === undefined || this.#receivedAt === undefined)
      throw new Error('commit before DATA');
    const { ids } = this.#desk.parts;
    const at = this.#receivedAt;
    this.#envelope = {
      batchId,
      connectionId: this.#client.connectionId,
      receivedAt: at,
      reversePath: this.reversePath,
      // As in Momentum's logs, the first copy has the id of its batch.
      recipients: this.recipients.map(({ path, binding, requests, refused, context }, index) => ({
        id: index === 0 ? batchId : ids.next(at),
        path,
        binding,
        ...(requests === undefined ? {} : { requests }),
        ...(refused === undefined ? {} : { refused }),
        ...(context === undefined ? {} : { context }),
      })),
      protocol: this.#client.protocol,
      peer: this.#client.peer.ip,
      size: draft.length,
      context: { connection: { ...this.#client.connectionContext }, message: this.#client.messageContext },
      ...(this.#requests === undefined ? {} : { requests: this.#requests }),
    };
    this.draft = undefined;
    this.#desk.commits += 1;
    draft.commit(this.#envelope, this.#traits, this);
  }

  kept(at: SpoolAddress): void {
    const envelope = this.#envelope;
    if (envelope === undefined) throw new Error('kept before commit');
    announce(this.#desk, this.#outcome.generation, at, envelope, this.#traits);
    this.#outcome.kept(this);
    this.#desk.committed();
  }

  refused(why: SpoolError): void {
    this.#outcome.notKept(why);
    this.#desk.committed();
  }

  /** Forgets the body. A commit that was made goes on. */
  drop(): void {
    this.draft?.discard();
    this.draft = undefined;
  }
}

/** Tells the house of a reception that is durable: events first, since delivery may begin within `enqueue`. */
export function announce(
  desk: Desk,
  generation: Generation,
  at: SpoolAddress,
  envelope: Envelope,
  traits: BodyTraits,
): void {
  const { clock, events, queues } = desk.parts;
  recordReception(events, generation, envelope, clock.date());
  queues.enqueue({ at, envelope, traits });
}

const NO_TRAITS: BodyTraits = { dots: false, lone: false };
const LONE = /\r(?!\n)|(?<!\r)\n/;

/**
 * `with` of the Received field: RFC 3848 and 6531 have names for what EHLO began; HELO stays SMTP, encrypted or not. Other
 * protocols go by their own names, which leave no room for either.
 */
function traceName({ protocol, extended, encrypted, login }: Client, utf8: boolean): string {
  if (protocol !== 'esmtp') return protocol;
  return extended ? `${utf8 ? 'UTF8SMTP' : 'ESMTP'}${encrypted ? 'S' : ''}${login === undefined ? '' : 'A'}` : 'SMTP';
}
