import type { Millis } from '../base/index.ts';
import type { Reply } from '../smtp/index.ts';

/** One address of one mail exchanger. */
export interface RouteAddress {
  readonly ip: string;
  readonly host: string;
  readonly preference: number;
  /** Set by a `routes` entry that names one. */
  readonly port: number | undefined;
}

export type Route =
  /** Sorted by preference; never empty. */
  | { readonly kind: 'ready'; readonly addresses: readonly RouteAddress[]; readonly until: Millis }
  /** No mail can ever go there: every message of the domain fails with this. */
  | { readonly kind: 'none'; readonly reply: Reply; readonly until: Millis }
  /** DNS does not answer now: nothing is charged, asked again at `until`. */
  | { readonly kind: 'unknown'; readonly failures: number; readonly until: Millis };
