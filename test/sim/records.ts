import type { SimPipe } from '../../src/world/sim/index.ts';
import type { Letter } from './letter.ts';

/** A message that a peer has taken responsibility for, or may have. */
export interface Arrival {
  readonly at: number;
  readonly host: string;
  readonly pipe: SimPipe;
  /** How many bytes the peer had written when its 2xx was complete; undefined when it never said so. */
  readonly saidBy: number | undefined;
}

/** The end of a message by the server's own account. */
export interface Final {
  readonly kind: 'delivered' | 'failed';
  readonly at: number;
  /** A bounce took its place in the same batch: safe when it was told. */
  readonly replaced: boolean;
  /** It is on disk together with a notice of success, which takes its own time to get there. */
  readonly noticed?: boolean;
}

/** After the n-th failure: when the next attempt may be made. */
export interface RetryMark {
  readonly at: number;
  readonly retries: number;
  due: number;
}

/** One recipient of one letter, or one bounce: what the server has said of it, and what peers have seen of it. */
export class Track {
  /** The recipient's address; of a bounce its message id. */
  readonly key: string;
  readonly letter: Letter | undefined;
  readonly recipient: string;
  readonly domain: string;
  messageId: string | undefined;
  /** When its R was recorded. */
  receivedAt: number | undefined;
  readonly arrivals: Arrival[] = [];
  readonly finals: Final[] = [];
  /** Failures since its reception, oldest first; those that a crash may have undone are still among them. */
  readonly failures: RetryMark[] = [];
  /** Last time an operator asked for it to be tried at once. */
  flushedAt = Number.NEGATIVE_INFINITY;
  /** Orders to do so that have not been answered yet. */
  flushing = 0;
  /** Failed by an operator who wanted no bounce. */
  quiet = false;

  constructor(key: string, recipient: string, letter: Letter | undefined) {
    this.key = key;
    this.recipient = recipient;
    this.letter = letter;
    this.domain = recipient.slice(recipient.lastIndexOf('@') + 1);
  }
}

/** What the sender of a letter knows. */
export class Sent {
  readonly letter: Letter;
  /** Recipients that the server has accepted. */
  readonly accepted: string[] = [];
  /** When the last byte of the final dot was written; undefined when it never was. */
  dotAt: number | undefined;
  /** What the server said to the dot, if the sender read it. */
  reply: { readonly code: number; readonly at: number } | undefined;

  constructor(letter: Letter) {
    this.letter = letter;
  }
}

/** Everything that is known of all mail of a simulation. */
export class Records {
  readonly sent = new Map<number, Sent>();
  /** By recipient address. */
  readonly tracks = new Map<string, Track>();
  /** Bounces, by message id with dots (as in their Message-ID). */
  readonly bounces = new Map<string, Track>();

  /** A letter is about to be sent. */
  announce(letter: Letter): Sent {
    const sent = new Sent(letter);
    this.sent.set(letter.number, sent);
    for (const recipient of letter.recipients) this.tracks.set(recipient, new Track(recipient, recipient, letter));
    return sent;
  }

  /** @returns the track of a message that an event speaks of */
  of(messageId: string, recipient: string): Track {
    return this.tracks.get(recipient) ?? this.bounce(messageId, recipient);
  }

  bounce(messageId: string, recipient: string): Track {
    const key = messageId.replace(/[/-]/g, '.');
    let track = this.bounces.get(key);
    if (track === undefined) {
      track = new Track(key, recipient, undefined);
      this.bounces.set(key, track);
    }
    return track;
  }

  *all(): Iterable<Track> {
    yield* this.tracks.values();
    yield* this.bounces.values();
  }
}

/** @returns whether the server has read the whole 2xx to it: then it knows, and must not send it again */
export const isConfirmed = (arrival: Arrival): boolean =>
  arrival.saidBy !== undefined && arrival.pipe.taken >= arrival.saidBy;
