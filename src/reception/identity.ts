import type { Generation, View } from '../config/index.ts';
import type { PeerAddress } from '../world/index.ts';
import { Client } from './client.ts';
import { clientAddress, receivingView } from './client-view.ts';
import type { Desk } from './desk.ts';
import type { Origin } from './reception.ts';
import { type Settings, withTrustOf } from './settings.ts';

/**
 * Whom a client is taken for, and what holds for it because of that. Which commands of trusted clients it may say, and
 * what XSETCONTEXT may set, is a matter of its connection: whoever it says that it speaks for, it stays who it is.
 */
export class Identity {
  readonly client: Client;
  settings: Settings;
  readonly #desk: Desk;
  readonly #origin: Origin;
  readonly #ownIp: string;
  /** A session keeps the pathway with which it began. */
  readonly #ownPathway: string | undefined;
  #pathway: string | undefined;
  #own: Settings;
  #moved = false;
  /** It counts for another address, and has not been asked yet whether there is room. */
  #unasked = false;

  constructor(desk: Desk, ends: { readonly remote: PeerAddress; readonly local: PeerAddress }, origin: Origin) {
    const { clock, ids } = desk.parts;
    this.#desk = desk;
    this.#origin = origin;
    this.#ownIp = clientAddress(ends.remote);
    const { view, name } = receivingView(origin.generation, 'esmtp_listener', origin.endpoint, this.#ownIp);
    this.#ownPathway = name;
    this.#pathway = name;
    this.client = new Client(ends, ids.next(clock.date()), standing(origin.generation, view, name));
    this.#own = desk.settings(view);
    this.settings = this.#own;
  }

  /** Where it came in. */
  get endpoint(): Origin['endpoint'] {
    return this.#origin.endpoint;
  }

  /** The view of the connection itself. */
  get ownView(): View {
    return this.#own.view;
  }

  /** It is taken for that one from now on. */
  become(peer: PeerAddress, generation: Generation): void {
    const ip = clientAddress(peer);
    const { view, name } = receivingView(generation, 'esmtp_listener', this.#origin.endpoint, ip);
    this.#moved = true;
    this.#unasked = true;
    this.#pathway = name;
    this.#origin.moved(ip);
    this.client.become(peer, standing(generation, view, name));
    this.settings = withTrustOf(this.#own, this.#desk.settings(view));
  }

  /** Whether a generation changes nothing that this client sees. */
  sameIn(next: Generation): boolean {
    return this.settings.view.sameIn(next) && (!this.#moved || this.#own.view.sameIn(next));
  }

  adopt(generation: Generation): void {
    this.#own = this.#settingsFor(generation, this.#ownIp, this.#ownPathway);
    this.settings = this.#moved
      ? withTrustOf(this.#own, this.#settingsFor(generation, this.client.remote.ip, this.#pathway))
      : this.#own;
  }

  /** Asked at MAIL: false when it has moved to an address whose session caps are exceeded. */
  fits(): boolean {
    if (!this.#unasked) return true;
    this.#unasked = false;
    return this.#origin.withinCaps();
  }

  #settingsFor(generation: Generation, ip: string, pathway: string | undefined): Settings {
    return this.#desk.settings(generation.receiving('esmtp_listener', this.#origin.endpoint, ip, pathway));
  }
}

/** What holds for a client of that view. */
export const standing = (generation: Generation, view: View, name: string | undefined) => ({
  view,
  pathway: name ?? 'default',
  pathwayGroup: generation.pathwayGroupOf(name ?? 'default'),
});
