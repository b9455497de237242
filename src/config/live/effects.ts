import type { BindingName, Domain } from '../../base/index.ts';
import type { Generation } from './generation.ts';

/** What a generation that is not live would do in the rooms above, asked by `config plan`. Nothing is changed. */
export interface Effects {
  sockets(next: Generation): SocketEffects;
  /** Modules in words: `ec_logger main`. */
  modules(next: Generation): ModuleEffects;
  /** Every pair of binding and routing domain that the server knows now. */
  pairs(): Iterable<KnownPair>;
  /** Open sessions of SMTP, and how many of them would be closed at their next MAIL FROM or RSET. */
  sessions(next: Generation): { readonly open: number; readonly closed: number };
  /** Resolves when others have had their turn: there may be a hundred thousand pairs. */
  turn(): Promise<void>;
}

/** Sockets in words: `ESMTP_Listener 0.0.0.0:25`. */
export interface SocketEffects {
  readonly opened: readonly string[];
  readonly closed: readonly string[];
  /** Closed, and opened with other settings. */
  readonly reopened: readonly string[];
  /** Other settings, and not closed for it. */
  readonly changed: readonly string[];
  readonly kept: readonly string[];
}

export interface ModuleEffects {
  readonly started: readonly string[];
  readonly ended: readonly string[];
  /** Those that see other values. */
  readonly restarted: readonly string[];
}

export interface KnownPair {
  readonly binding: BindingName;
  readonly domain: Domain;
  /** Messages, counted by recipient: active, delayed and in flight. */
  readonly messages: number;
}
