import type { Endpoint } from '../base/index.ts';
import type { Generation, ListenerType, Option, View } from '../config/index.ts';
import { receivingView } from '../reception/index.ts';
import { listenerSessions, serviceSessions } from './options.ts';

const CAPS: readonly Option<number>[] = [listenerSessions, serviceSessions];

/** Where a session is: what its caps depend on. */
export interface SessionPlace {
  readonly listener: ListenerType;
  readonly endpoint: Endpoint;
  /** The client's IP address. */
  readonly ip: string;
}

/** A session's place under the caps; to be given back once. */
export interface Slot extends Disposable {
  /** The client has another address from now on; it is counted there, also when that is beyond a cap. */
  move(generation: Generation, ip: string): void;
  /** Whether the caps that hold for its client are kept, this session counted in. */
  within(generation: Generation): boolean;
}

/**
 * Counts sessions for each (option, stanza that set it): outside Peer one budget for everyone, inside Peer one for each
 * block. Only the value that holds for the client is checked; but a client with a cap of its Peer is counted in all
 * that stand further out too, which so stay true totals.
 */
export class SessionCaps {
  readonly #open = new Map<string, number>();
  readonly #slots = new Set<Counted>();

  /** @returns undefined when a cap is reached */
  take(generation: Generation, place: SessionPlace): Slot | undefined {
    return this.#hasRoom(generation, place, 1) ? this.hold(generation, place) : undefined;
  }

  /** The same without a look at the caps: whose session it will be is not known yet. */
  hold(generation: Generation, place: SessionPlace): Slot {
    const slot = new Counted(this, place, keysOf(generation, place));
    this.#slots.add(slot);
    this.#count(slot.keys, 1);
    return slot;
  }

  /** A generation has become current: sessions that are open count under its caps, whenever they began. */
  recount(generation: Generation): void {
    this.#open.clear();
    for (const slot of this.#slots) {
      slot.keys = keysOf(generation, slot.place);
      this.#count(slot.keys, 1);
    }
  }

  #count(keys: readonly string[], by: 1 | -1): void {
    for (const key of keys) {
      const now = (this.#open.get(key) ?? 0) + by;
      if (now > 0) this.#open.set(key, now);
      else this.#open.delete(key);
    }
  }

  within(generation: Generation, place: SessionPlace): boolean {
    return this.#hasRoom(generation, place, 0);
  }

  move(slot: Counted, generation: Generation, ip: string): void {
    if (!this.#slots.has(slot)) return;
    this.#count(slot.keys, -1);
    slot.place = { ...slot.place, ip };
    slot.keys = keysOf(generation, slot.place);
    this.#count(slot.keys, 1);
  }

  forget(slot: Counted): void {
    if (this.#slots.delete(slot)) this.#count(slot.keys, -1);
  }

  #hasRoom(generation: Generation, place: SessionPlace, more: 0 | 1): boolean {
    const { view } = viewOf(generation, place);
    return CAPS.every((option) => {
      const most = view.get(option);
      return most <= 0 || (this.#open.get(keyOf(option, view.owner(option).key)) ?? 0) + more <= most;
    });
  }
}

class Counted implements Slot {
  place: SessionPlace;
  keys: readonly string[];
  readonly #caps: SessionCaps;

  constructor(caps: SessionCaps, place: SessionPlace, keys: readonly string[]) {
    this.#caps = caps;
    this.place = place;
    this.keys = keys;
  }

  move(generation: Generation, ip: string): void {
    this.#caps.move(this, generation, ip);
  }

  within(generation: Generation): boolean {
    return this.#caps.within(generation, this.place);
  }

  [Symbol.dispose](): void {
    this.#caps.forget(this);
  }
}

const viewOf = (
  generation: Generation,
  { listener, endpoint, ip }: SessionPlace,
): { view: View; name: string | undefined } => receivingView(generation, listener, endpoint, ip);

function keysOf(generation: Generation, place: SessionPlace): readonly string[] {
  const { view, name } = viewOf(generation, place);
  return CAPS.flatMap((option) => {
    // The usual case: nobody sets it.
    if (view.owner(option).key === 'default') return [];
    return generation
      .receivingOwners(option, place.listener, place.endpoint, place.ip, name)
      .map((owner) => keyOf(option, owner.key));
  });
}

const keyOf = (option: Option<number>, owner: string): string => `${option.name} ${owner}`;
