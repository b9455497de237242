import { bindingName, type Millis, millis } from '../base/index.ts';
import type { Generation } from '../config/index.ts';
import type { Events } from '../events/index.ts';
import {
  type Envelope,
  type Ids,
  type MessageId,
  mailDate,
  messageIdValue,
  nullId,
  receivedField,
} from '../message/index.ts';
import { InjectionRefused, type InPlaceOf, type Reception } from '../reception/index.ts';
import type { Spool } from '../spool/index.ts';
import type { Data, Fields } from '../templates/index.ts';
import type { Clock } from '../world/index.ts';
import { acceptanceContext } from './acceptances.ts';
import { asTrouble, type Compiled } from './content.ts';
import type { Order, Recipient } from './order.ts';
import { isBinding, SANDBOX } from './sandbox.ts';
import { SCHEDULED } from './schedule.ts';
import { SUPPRESSED, type Suppressions } from './suppressions.ts';
import { Trouble } from './trouble.ts';

export interface MakerParts {
  readonly clock: Clock;
  readonly events: Events;
  readonly ids: Ids;
  readonly spool: Pick<Spool, 'draft' | 'hold' | 'done'>;
  readonly reception: Pick<Reception, 'inject'>;
  readonly suppressions: Suppressions;
  readonly current: () => Generation;
  readonly hostName: () => string;
  /** `Impetus 1.2.3`. */
  readonly product: string;
}

const BODY_TRAITS = { dots: true, lone: false };
const DEFAULT_BINDING = 'default';

/** Makes one message of an order and hands it in. */
export class Maker {
  readonly #parts: MakerParts;
  #turns = 0;
  #bytes = 0;

  constructor(parts: MakerParts) {
    this.#parts = parts;
  }

  /** Of messages that are on their way to the disk. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * @param replaces the place of this recipient in the job's reception
   * @throws Trouble 1901, 1902 when there will never be such a message, SpoolError when there is none now
   */
  async make(
    order: Order,
    compiled: Compiled,
    recipient: Recipient,
    id: MessageId,
    replaces?: InPlaceOf,
  ): Promise<void> {
    const { clock, spool, reception, suppressions } = this.#parts;
    const transactional = order.options.transactional === true;
    if (order.options.skip_suppression !== true) {
      if (suppressions.suppressed(recipient.key, transactional, order.override.list_id ?? ''))
        throw new Trouble('1902', SUPPRESSED);
    }
    // A message that waits for its time is of that time: what it says of itself, and how long it may be tried.
    const at = millis(Math.max(clock.date(), order.startTime ?? 0));
    const returnPath = recipient.returnPath ?? order.returnPath;
    const { body, from } = this.#rendered(order, compiled, recipient, id, returnPath, at);
    // The binding may have gone since the order was taken: tried mail must not go out for that.
    if (order.options.sandbox === true && !order.bindings.every((name) => isBinding(this.#parts.current(), name)))
      throw new Trouble('1901', 'the binding of the sandbox is configured no more');
    const binding = bindingName(order.bindings[this.#turns++ % order.bindings.length] ?? DEFAULT_BINDING);
    const envelope: Envelope = {
      batchId: id,
      connectionId: nullId,
      receivedAt: at,
      reversePath: returnPath ?? from,
      recipients: [{ id, path: recipient.path, binding }],
      protocol: 'rest',
      peer: '',
      size: 0,
      context: {
        connection: {},
        // A message of many takes its place after the order, which has it.
        message: {
          ...contextOf(order, recipient),
          ...(replaces === undefined ? acceptanceContext(order.acceptance) : {}),
        },
      },
    };
    const draft = spool.draft();
    draft.append(body);
    const { length } = draft;
    this.#bytes += length;
    try {
      await reception.inject(envelope, BODY_TRAITS, draft, replaces);
    } catch (error) {
      if (error instanceof InjectionRefused) throw new Trouble('1902', error.message);
      throw error;
    } finally {
      this.#bytes -= length;
    }
  }

  /** A recipient of whom nothing will come: an event says so. */
  record(order: Order, recipient: Recipient, why: Trouble): void {
    const { clock, events, current } = this.#parts;
    events.record({
      kind: 'generation',
      at: clock.date(),
      generation: current().number,
      outcome: why.code === '1902' ? 'rejection' : 'failure',
      transmissionId: order.id,
      campaignId: order.campaignId,
      recipient: recipient.path,
      reason: why.message,
    });
  }

  #rendered(
    order: Order,
    compiled: Compiled,
    recipient: Recipient,
    id: MessageId,
    returnPath: string | undefined,
    at: Millis,
  ) {
    const { hostName, product } = this.#parts;
    const host = hostName();
    const received = (from: string) =>
      receivedField({
        remote: undefined,
        helo: '',
        host,
        reversePath: returnPath ?? from,
        product,
        protocol: 'HTTP',
        id,
        recipients: [recipient.path],
        date: at,
      });
    try {
      return compiled.render({
        recipient,
        data: dataOf(order, recipient, returnPath),
        received,
        date: mailDate(at),
        messageId: messageIdValue(id, host),
        mark: id.replace(/[^0-9A-F]/g, '.'),
      });
    } catch (error) {
      const trouble = asTrouble(error);
      if (!(trouble instanceof Trouble)) throw trouble;
      const { part, line } = trouble;
      throw new Trouble('1901', trouble.message, {
        ...(part === undefined ? {} : { part }),
        ...(line === undefined ? {} : { line }),
      });
    }
  }
}

/** Strongest first (spec/http-api 5). */
export function dataOf(
  order: Pick<Order, 'substitutionData' | 'metadata'>,
  recipient: Recipient,
  returnPath: string | undefined,
): Data {
  const reserved: Fields = {
    address: { name: recipient.name ?? null, email: recipient.path, header_to: recipient.headerTo ?? null },
    email: recipient.path,
    env_from: returnPath ?? null,
    return_path: returnPath ?? null,
  };
  return {
    layers: [reserved, recipient.substitutionData, order.substitutionData, recipient.metadata, order.metadata],
    shared: order.substitutionData,
  };
}

/** What events and policy know of the message beside its envelope; kept with it in the spool. Texts, as contexts are. */
function contextOf(order: Order, recipient: Recipient): Readonly<Record<string, string>> {
  const context: Record<string, string> = { transmission_id: order.id, rcpt_type: 'original' };
  if (order.campaignId !== '') context.campaign_id = latin(order.campaignId);
  if (order.template !== undefined) {
    context.template_id = order.template.id;
    context.template_version = order.template.version;
  }
  const metadata = { ...order.metadata, ...recipient.metadata };
  if (Object.keys(metadata).length > 0) context.rcpt_meta = latin(JSON.stringify(metadata));
  if (recipient.tags.length > 0) context.rcpt_tags = latin(JSON.stringify(recipient.tags));
  if (order.startTime !== undefined) context[SCHEDULED] = String(order.startTime / 1000);
  if (order.options.transactional === true) context.transactional = '1';
  if (order.options.sandbox === true) context[SANDBOX] = '1';
  if (order.options.ip_pool !== undefined) context.ip_pool = latin(order.options.ip_pool);
  for (const flag of ['open_tracking', 'click_tracking', 'initial_open'] as const) {
    const wish = recipient.options[flag] ?? order.options[flag];
    if (wish !== undefined) context[flag] = wish ? '1' : '0';
  }
  return context;
}

/** Envelopes hold bytes as Latin-1 characters. */
const latin = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
