import { Heap, type Millis, millis, type Seconds, seconds } from '../base/index.ts';
import type { BodyTraits, Message, MessageId, SpoolAddress } from '../message/index.ts';
import type { Reply } from '../smtp/index.ts';
import { type EnvelopeRef, type EnvelopeStore, NOWHERE } from './envelope-store.ts';
import type { Item, MailQueue } from './queues.ts';

/**
 * Recipients of one reception that are not finished: they share a body, an envelope and one state record. A batch that
 * waits is packed, one that is being delivered is not.
 */
export class Batch {
  readonly at: SpoolAddress;
  readonly traits: BodyTraits;
  /** Milliseconds since the epoch. */
  readonly receivedAt: Millis;
  /** When whoever sent it wants it tried and given up; nearly always nobody said so, and then it costs one word. */
  readonly #wishes: Wishes | undefined;
  /** Counts up in the order of reception: what is due at the same time goes out in this order. */
  readonly sequence: number;
  /** Items of it that are in flight: their envelope stays unpacked. */
  flying = 0;
  /** Recipients that are not finished. */
  #left = 0;
  #message: Message | undefined;
  /** Where its envelope is packed, once it was. */
  #ref: EnvelopeRef = NOWHERE;
  readonly #store: EnvelopeStore;
  /** Most receptions have one recipient; the others have a list, by recipient. */
  #items: QueueItem | (QueueItem | undefined)[] | undefined;

  constructor(message: Message, sequence: number, store: EnvelopeStore) {
    this.at = message.at;
    this.traits = sharedTraits(message.traits);
    this.receivedAt = message.envelope.receivedAt;
    this.#wishes = wishesOf(message);
    this.sequence = sequence;
    this.#message = message;
    this.#store = store;
    const { length } = message.envelope.recipients;
    this.#items = length === 1 ? undefined : new Array<QueueItem | undefined>(length).fill(undefined);
  }

  /** Since the epoch: it is not tried before, whoever asks for it. */
  get notBefore(): Millis | undefined {
    return this.#wishes?.notBefore;
  }

  /** Since the epoch: it expires then at the latest, whatever `message_expiration` says. */
  get expiresAt(): Millis | undefined {
    return this.#wishes?.expiresAt;
  }

  /** @param expiration of its pair, in seconds @returns when it expires, milliseconds since the epoch */
  deadline(expiration: number): Millis {
    const usual = this.receivedAt + expiration * 1000;
    return millis(Math.min(usual, this.#wishes?.expiresAt ?? usual));
  }

  /** When it is to be tried first, milliseconds since the epoch: now, unless whoever sent it wished for a later time. */
  firstDue(date: Millis, expiration: number): Millis {
    const wish = this.#wishes?.notBefore;
    return wish === undefined || wish <= date ? date : millis(Math.min(wish, this.deadline(expiration)));
  }

  /** The message; of a packed batch a copy that nobody keeps. */
  get message(): Message {
    return this.#message ?? this.#unpacked();
  }

  /** Of the batch's unfinished recipients. */
  get items(): readonly QueueItem[] {
    const items = this.#items;
    if (items === undefined) return [];
    return Array.isArray(items) ? items.filter((item) => item !== undefined) : [items];
  }

  /** How many these are. */
  get left(): number {
    return this.#left;
  }

  admit(item: QueueItem): void {
    this.#left++;
    if (Array.isArray(this.#items)) this.#items[item.recipient] = item;
    else this.#items = item;
  }

  /** One recipient is finished. */
  finish(item: QueueItem): void {
    if (Array.isArray(this.#items)) this.#items[item.recipient] = undefined;
    else this.#items = undefined;
    this.#left--;
    if (this.#ref === NOWHERE || this.#left > 0) return;
    // Whoever still asks is given what was packed last.
    this.unpack();
    this.#store.release(this.#ref);
    this.#ref = NOWHERE;
  }

  /** It will not be needed soon. */
  pack(): void {
    if (this.#message === undefined || this.flying > 0 || this.#left === 0) return;
    if (this.#ref === NOWHERE) this.#ref = this.#store.put(this.#message.envelope);
    this.#message = undefined;
  }

  /** It is needed, and stays so until `pack`. @returns whether it was packed */
  unpack(): boolean {
    if (this.#message !== undefined) return false;
    this.#message = this.#unpacked();
    return true;
  }

  /** Whether an id may be in it: cheap, for searches through everything. */
  mentions(id: MessageId): boolean {
    return this.#ref === NOWHERE || this.#store.mayHold(this.#ref, id);
  }

  #unpacked(): Message {
    return { at: this.at, traits: this.traits, envelope: this.#store.get(this.#ref, this.receivedAt) };
  }
}

/** Milliseconds since the epoch. */
interface Wishes {
  readonly notBefore: Millis | undefined;
  readonly expiresAt: Millis | undefined;
}

/** Times that came with a message by ECStream or HTTP: seconds since the epoch, checked when it was received. */
function wishesOf({ envelope }: Message): Wishes | undefined {
  const { protocol, context } = envelope;
  if (protocol !== 'ecstream' && protocol !== 'rest') return undefined;
  const { ec_not_before: notBefore, ec_expiry: expiry } =
    protocol === 'ecstream' ? context.message : { ec_not_before: context.message.scheduled_time, ec_expiry: undefined };
  if (notBefore === undefined && expiry === undefined) return undefined;
  // What is no number would stand in the heap of its queue for ever: policy may have changed it since.
  const time = (text: string | undefined): Millis | undefined =>
    text !== undefined && Number.isFinite(Number(text)) ? millis(Number(text) * 1000) : undefined;
  return { notBefore: time(notBefore), expiresAt: time(expiry) };
}

/** There are eight kinds: one object each. */
const TRAITS: readonly BodyTraits[] = [0, 1, 2, 3, 4, 5, 6, 7].map((kind) => ({
  dots: (kind & 1) !== 0,
  lone: (kind & 2) !== 0,
  ...((kind & 4) === 0 ? {} : { eightBit: true }),
}));

const sharedTraits = (traits: BodyTraits): BodyTraits =>
  TRAITS[(traits.dots ? 1 : 0) + (traits.lone ? 2 : 0) + (traits.eightBit === true ? 4 : 0)] ?? traits;

/** `burying`: failed, and its bounce is on the way to the disk. */
export type ItemState = 'active' | 'delayed' | 'in flight' | 'burying' | 'gone';

/** Fields are set by the pair that holds the item, and by nobody else. */
export class QueueItem implements Item {
  readonly batch: Batch;
  readonly recipient: number;
  readonly queue: MailQueue;
  retries = 0;
  nextAttempt: Millis;
  place: ItemState = 'gone';
  lastReply: Reply | undefined = undefined;
  /** Position in the delayed heap, -1 outside. */
  heapPosition = -1;
  /** An entry for it stands in the active ring, perhaps a stale one. */
  inRing = false;

  constructor(batch: Batch, recipient: number, queue: MailQueue, nextAttempt: Millis) {
    this.batch = batch;
    this.recipient = recipient;
    this.queue = queue;
    this.nextAttempt = nextAttempt;
  }

  get message(): Message {
    return this.batch.message;
  }

  get state(): Item['state'] {
    return this.place === 'burying' ? 'in flight' : this.place;
  }

  get notBefore(): Millis | undefined {
    return this.batch.notBefore;
  }

  get id(): MessageId {
    return this.path.id;
  }

  get path(): Message['envelope']['recipients'][number] {
    const recipient = this.batch.message.envelope.recipients[this.recipient];
    if (recipient === undefined) throw new RangeError('an item names a recipient that its envelope does not have');
    return recipient;
  }
}

/** Which of two delayed items is tried first; recipients of one message stay together and in their order. */
export function earlier(one: QueueItem, other: QueueItem): boolean {
  if (one.nextAttempt !== other.nextAttempt) return one.nextAttempt < other.nextAttempt;
  if (one.batch !== other.batch) return one.batch.sequence < other.batch.sequence;
  return one.recipient < other.recipient;
}

/** Delayed items as they are now. Sorted as far as somebody reads on: mostly the first is wanted, and there may be a million. */
export function* inOrder(items: Iterable<QueueItem>): Generator<QueueItem, void> {
  const copy = new Heap<QueueItem>(earlier);
  for (const item of items) copy.push(item);
  for (let item = copy.pop(); item !== undefined; item = copy.pop()) yield item;
}

/** What the oldest of a queue is found by; one with an end of its own is looked at each time. */
export const ageOf = ({ batch }: QueueItem): number =>
  batch.expiresAt === undefined ? batch.receivedAt : Number.NEGATIVE_INFINITY;

/** Seconds from its reception to its deadline. */
export const lifetimeOf = ({ batch }: QueueItem, expiration: Seconds): Seconds =>
  batch.expiresAt === undefined ? expiration : seconds((batch.deadline(expiration) - batch.receivedAt) / 1000);

/** Everything that a pair hands out is of this class; what else comes back is a mistake of ours. */
export function own(item: Item): QueueItem {
  if (item instanceof QueueItem) return item;
  throw new TypeError('an item that no pair has handed out');
}
