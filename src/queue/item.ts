import type { Millis } from '../base/index.ts';
import type { Message, MessageId } from '../message/index.ts';
import type { Reply } from '../smtp/index.ts';
import type { Item, MailQueue } from './queues.ts';

/** Recipients of one reception that are not finished: they share a body and one state record. */
export class Batch {
  readonly message: Message;
  /** Counts up in the order of reception: what is due at the same time goes out in this order. */
  readonly sequence: number;
  /** By recipient; undefined when that one is finished. */
  readonly items: (QueueItem | undefined)[];

  constructor(message: Message, sequence: number) {
    this.message = message;
    this.sequence = sequence;
    this.items = new Array<QueueItem | undefined>(message.envelope.recipients.length).fill(undefined);
  }
}

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
