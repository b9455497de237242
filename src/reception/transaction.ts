import type { BindingName, Millis, Segments } from '../base/index.ts';
import { bindingName } from '../base/index.ts';
import type { Generation } from '../config/index.ts';
import { recordReception } from '../events/index.ts';
import { type BodyTraits, type Envelope, type MessageId, receivedField, type SpoolAddress } from '../message/index.ts';
import type { Reply } from '../smtp/index.ts';
import type { Draft, SpoolError, Told } from '../spool/index.ts';
import type { Client } from './client.ts';
import type { Desk } from './desk.ts';
import { HeaderWatch } from './header-watch.ts';
import { LineEndFixer } from './line-ends.ts';
import { replies } from './replies.ts';
import type { Settings } from './settings.ts';

/** An accepted RCPT. */
export interface Recipient {
  /** As the client wrote it: trace fields and variables keep it. */
  readonly written: string;
  /** The same with a domain, when it had none. */
  readonly path: string;
  binding: BindingName;
  /** Variables of this recipient alone (ECStream). */
  readonly context?: Readonly<Record<string, string>>;
}

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
}

const DEFAULT_BINDING = bindingName('default');

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
  #receivedAt: Millis | undefined = undefined;
  #header: HeaderWatch | undefined = undefined;
  #fixer: LineEndFixer | undefined = undefined;
  #bytes = 0;
  #most = 0;
  #tooLarge = false;
  #traits: BodyTraits = NO_TRAITS;
  #envelope: Envelope | undefined = undefined;

  constructor(
    desk: Desk,
    client: Client,
    outcome: Outcome,
    sender: { readonly written: string; readonly path: string; readonly line: string },
  ) {
    this.#desk = desk;
    this.#client = client;
    this.#outcome = outcome;
    this.written = sender.written;
    this.reversePath = sender.path;
    this.line = sender.line;
  }

  /** On its way to the disk: `outcome` will be told. */
  get committed(): boolean {
    return this.#envelope !== undefined;
  }

  add(written: string, path: string, binding = DEFAULT_BINDING, context?: Readonly<Record<string, string>>): void {
    this.recipients.push({ written, path, binding, ...(context === undefined ? {} : { context }) });
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
    const { loneInHeaders, loneInBody } = settings;
    if (loneInHeaders === 'fix' || loneInBody === 'fix') {
      // With a fixed header and a pedantic body the fixer tells which of the two had what.
      this.#fixer = new LineEndFixer({ header: loneInHeaders === 'fix', body: loneInBody !== 'ignore' });
    }
    if (!settings.traceHeaders) return;
    const field = receivedField({
      remote: this.#client.peer,
      helo: this.#client.helo,
      host: settings.receivedHost,
      reversePath: this.written,
      product: this.#desk.product,
      protocol: traceName(this.#client),
      id: this.batchId,
      recipients: this.recipients.length === 1 ? this.recipients.map((each) => each.written) : [],
      date: this.#receivedAt,
    });
    this.draft.append([field]);
  }

  /** @returns false: no more until `drained` */
  append(bytes: Segments): boolean {
    let ready = true;
    for (const view of bytes) {
      this.#bytes += view.length;
      this.#header?.see(view);
    }
    if (this.#most > 0 && this.#bytes > this.#most) {
      this.#tooLarge = true;
      this.drop();
    }
    if (this.draft === undefined) return ready;
    if (this.#fixer === undefined) return this.draft.append(bytes);
    for (const view of bytes) ready = this.draft.append(this.#fixer.fix(view)) && ready;
    return ready;
  }

  /** The final dot. @returns why the message is refused for what it is, undefined when it is not */
  finish(end: Framing, settings: Settings): Reply | undefined {
    const header = this.#header;
    if (this.#tooLarge || header === undefined) return replies.messageTooLarge;
    this.#header = undefined;
    const facts = header.facts();
    if (facts.looping) return replies.mailLoop;
    const fixer = this.#fixer;
    if (fixer !== undefined) this.draft?.append(fixer.finish());
    if (end.lone) {
      const trouble = this.#loneTrouble(header.text(), facts.length < end.length, settings);
      if (trouble !== undefined) return trouble;
    }
    if (end.dots || end.lone) {
      // A line made by fixing may begin with a dot; to say so when none does costs a search and no more.
      this.#traits = {
        dots: end.dots || (fixer?.changed ?? false),
        lone: end.lone && settings.loneInBody === 'ignore',
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
    const inBody = this.#fixer?.changedBody ?? !inHeader;
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
      recipients: this.recipients.map(({ path, binding, context }, index) => ({
        id: index === 0 ? batchId : ids.next(at),
        path,
        binding,
        ...(context === undefined ? {} : { context }),
      })),
      protocol: this.#client.protocol,
      peer: this.#client.peer.ip,
      size: draft.length,
      context: { connection: { ...this.#client.connectionContext }, message: this.#client.messageContext },
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

/** `with` of the Received field (RFC 3848; spec ecstream 4). */
function traceName({ protocol, extended }: Client): string {
  if (protocol !== 'esmtp') return protocol;
  return extended ? 'ESMTP' : 'SMTP';
}
