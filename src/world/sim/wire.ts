import { millis, Ring } from '../../base/index.ts';
import type { TlsFacts } from '../tls.ts';
import type { SimChance } from './chance.ts';
import type { SimClock } from './clock.ts';
import type { SimTlsContext } from './tls.ts';

/** How a simulated network behaves. */
export interface WireSettings {
  /** Milliseconds one way: always the same, or by chance from a range. */
  latencyMillis: number | readonly [number, number];
  /** What was written comes out cut and joined at odd places, as TCP may do. */
  oddChunks: boolean;
  /** Probability that a datagram is lost. */
  datagramLoss: number;
}

/** What travels in one direction of a connection, in order. */
export type Parcel =
  | { readonly kind: 'connect' | 'opened' | 'end' | 'reset' }
  | { readonly kind: 'refused'; readonly code: string }
  | { readonly kind: 'data'; readonly bytes: Uint8Array }
  /** A TLS handshake: what a client brings, what a server answers, and the client's last word. */
  | { readonly kind: 'hello'; readonly context: SimTlsContext; readonly serverName: string | undefined }
  | { readonly kind: 'answer'; readonly facts: TlsFacts }
  | { readonly kind: 'finished' }
  | { readonly kind: 'alert'; readonly reason: string };

/** The end of a wire where parcels arrive. */
export interface Receiver {
  /** Data and the peer's end wait while this is true. */
  readonly paused: boolean;
  receive(parcel: Parcel): void;
  /** The other side has taken everything that was sent. */
  emptied(): void;
}

/** One direction: keeps the order, adds the delay. */
export class Wire {
  readonly #clock: SimClock;
  readonly #chance: SimChance;
  readonly #settings: WireSettings;
  readonly #queue = new Ring<{ parcel: Parcel; due: number }>();
  #timer: Disposable | undefined;
  #lastDue = 0;
  #bytes = 0;
  #dead = false;
  /** Where each write ended, counted from the first byte, and when it was made. */
  readonly #ends: number[] = [];
  readonly #times: number[] = [];
  /** Bytes that the host at the other end has been given. */
  given = 0;
  to: Receiver | undefined;
  from: Receiver | undefined;

  constructor(clock: SimClock, chance: SimChance, settings: WireSettings) {
    this.#clock = clock;
    this.#chance = chance;
    this.#settings = settings;
  }

  /** Bytes sent and not yet taken. */
  get bytes(): number {
    return this.#bytes;
  }

  send(parcel: Parcel): void {
    if (this.#dead) return;
    if (parcel.kind === 'data') {
      this.#bytes += parcel.bytes.length;
      this.#ends.push((this.#ends.at(-1) ?? 0) + parcel.bytes.length);
      this.#times.push(this.#clock.now());
    }
    // Parcels never overtake each other, whatever delay they drew.
    this.#lastDue = Math.max(this.#lastDue, this.#clock.now() + latency(this.#settings, this.#chance));
    this.#queue.push({ parcel, due: this.#lastDue });
    this.wake();
  }

  /** @returns when the byte at that place was written; the last write for what lies beyond it */
  sentAt(offset: number): number {
    let low = 0;
    let high = this.#ends.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#ends[middle] ?? 0) > offset) high = middle;
      else low = middle + 1;
    }
    return this.#times[low] ?? this.#clock.now();
  }

  /** Nothing arrives any more, and nobody is told: an unplugged cable. */
  cut(): void {
    this.#dead = true;
    this.#timer?.[Symbol.dispose]();
    this.#queue.clear();
  }

  /** What was not sent yet is lost: everything behind the first `kept` bytes of data. */
  lose(kept: number): void {
    const all = [...this.#queue];
    this.#queue.clear();
    let left = kept;
    for (const { parcel, due } of all) {
      if (parcel.kind !== 'data') {
        this.#queue.push({ parcel, due });
        continue;
      }
      const bytes = parcel.bytes.subarray(0, left);
      left -= bytes.length;
      this.#bytes -= parcel.bytes.length - bytes.length;
      if (bytes.length > 0) this.#queue.push({ parcel: { kind: 'data', bytes }, due });
    }
  }

  /** To be called when the receiver is no longer paused. */
  wake(): void {
    const head = this.#queue.peek();
    if (this.#timer || !head || this.#held(head.parcel)) return;
    this.#timer = this.#clock.at(millis(head.due), () => {
      this.#timer = undefined;
      this.#arrive();
      this.wake();
    });
  }

  #held(parcel: Parcel): boolean {
    return this.to?.paused === true && (parcel.kind === 'data' || parcel.kind === 'end');
  }

  #arrive(): void {
    const head = this.#queue.peek();
    if (!head || head.due > this.#clock.now() || this.#held(head.parcel)) return;
    const parcel = head.parcel.kind === 'data' ? { kind: 'data' as const, bytes: this.#takeData() } : head.parcel;
    if (parcel.kind !== 'data') this.#queue.shift();
    this.to?.receive(parcel);
    if (parcel.kind === 'data' && this.#bytes === 0) this.from?.emptied();
  }

  /** A copy, since the receiver owns what it gets: the first write, or some part of what has arrived. */
  #takeData(): Uint8Array {
    const now = this.#clock.now();
    const parts: Uint8Array[] = [];
    let total = 0;
    do {
      const parcel = this.#queue.shift()?.parcel;
      if (parcel?.kind !== 'data') break;
      parts.push(parcel.bytes);
      total += parcel.bytes.length;
    } while (this.#settings.oddChunks && this.#nextIsData(now) && this.#chance.happens(0.5));
    const whole = Buffer.concat(parts);
    const cut =
      this.#settings.oddChunks && total > 1 && this.#chance.happens(0.5) ? 1 + this.#chance.below(total - 1) : total;
    if (cut < total) this.#queue.unshift({ parcel: { kind: 'data', bytes: whole.subarray(cut) }, due: now });
    this.#bytes -= cut;
    return Uint8Array.prototype.slice.call(whole, 0, cut);
  }

  #nextIsData(now: number): boolean {
    const next = this.#queue.peek();
    return next?.parcel.kind === 'data' && next.due <= now;
  }
}

/** @returns milliseconds that the next thing sent takes */
export function latency(settings: WireSettings, chance: SimChance): number {
  if (typeof settings.latencyMillis === 'number') return settings.latencyMillis;
  const [least, most] = settings.latencyMillis;
  return least + chance.next() * (most - least);
}
