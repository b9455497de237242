import { type CredentialStores, GuessBrake, type Tokens } from '../auth/index.ts';
import type { Configuration, View } from '../config/index.ts';
import { type Events, Sparing } from '../events/index.ts';
import type { Ids } from '../message/index.ts';
import type { Phases, Policy } from '../policy/index.ts';
import type { Queues } from '../queue/index.ts';
import type { Spool } from '../spool/index.ts';
import type { InboundTls } from '../tls/index.ts';
import type { Clock } from '../world/index.ts';
import { InboundThrottles } from './inbound-throttle.ts';
import { readSettings, type Settings } from './settings.ts';
import type { Dedup } from './stream/dedup.ts';

/** API keys, which are HTTP's: declared here, and implemented by who has them. */
export interface SendingKeys {
  /**
   * @param ip  where it is used
   * @returns undefined when there is no such key, or it may not be used from there; `unavailable`: nobody can tell
   */
  find(secret: string, ip: string): Promise<SendingKey | 'unavailable' | undefined>;
}

export interface SendingKey {
  readonly id: string;
  /** It has the grant for it. */
  readonly maySend: boolean;
}

/** Where users are looked up. */
export interface LoginParts {
  readonly stores: CredentialStores;
  /** Left out, nobody says what access tokens are worth. */
  readonly tokens?: Pick<Tokens, 'check'>;
  /** Left out, nobody has a key. */
  readonly keys?: SendingKeys;
  /** Who guesses here is slow at other doors, too; left out, there are none. */
  readonly brake?: GuessBrake;
  random(count: number): Uint8Array;
}

/** What reception needs of the rest of the house. */
export interface ReceptionParts {
  readonly clock: Clock;
  readonly spool: Pick<Spool, 'draft' | 'replace'>;
  readonly policy: Policy;
  readonly events: Events;
  readonly queues: Pick<Queues, 'enqueue'>;
  readonly configuration: Pick<Configuration, 'current'>;
  readonly ids: Ids;
  /** Left out, there is no TLS. */
  readonly tls?: InboundTls;
  /** Left out, nobody can be looked up. */
  readonly logins?: LoginParts;
  /** The machine's own name, for when no option gives one. */
  readonly hostName: string;
  /** Memory above memory_hwm: no transaction is begun. */
  readonly pressure?: { readonly exceeded: boolean /** The spool has no room. */; readonly full?: boolean };
  /** Keys of ECStream messages; without it repeats are not known. */
  readonly dedup?: Dedup;
  /** As banner and Received field show it. */
  readonly version: string;
}

/** The parts with what all sessions share. */
export class Desk {
  readonly parts: ReceptionParts;
  readonly product: string;
  readonly throttles: InboundThrottles;
  /** Of all sessions together. */
  readonly brake: GuessBrake;
  /** For what a client can cause. */
  readonly sparing: Sparing;
  /** Commits that have not been answered: a server that stops waits for them. */
  commits = 0;
  /** Called when the last of them is answered. */
  settled: (() => void) | undefined = undefined;
  readonly #settings = new WeakMap<View, Settings>();

  constructor(parts: ReceptionParts) {
    this.parts = parts;
    this.brake = parts.logins?.brake ?? new GuessBrake();
    this.throttles = new InboundThrottles(parts.clock);
    this.sparing = new Sparing(parts.events, parts.clock);
    this.product = `impetus ${parts.version}`;
  }

  settings(view: View): Settings {
    let settings = this.#settings.get(view);
    if (settings === undefined) {
      settings = readSettings(view, this.parts.hostName);
      this.#settings.set(view, settings);
    }
    return settings;
  }

  committed(): void {
    this.commits -= 1;
    if (this.commits === 0) this.settled?.();
  }

  /** Whether any hook listens to a phase of a greeted client: only then are variables for them put together. */
  get hooked(): boolean {
    return PHASES.some((phase) => this.parts.policy.has(phase));
  }
}

const PHASES: readonly (keyof Phases)[] = [
  'validate_connect',
  'validate_ehlo',
  'validate_mailfrom',
  'validate_rcptto',
  'validate_data',
  'validate_data_spool',
  'validate_data_spool_each_rcpt',
  'validate_set_binding',
  'core_final_validation',
];
