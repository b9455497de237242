/** How a recipient, or the transaction it stood in, ended. */
export type Verdict = 'accepted' | 'deferred' | 'refused' | 'dropped';

/** Recipients by verdict. */
export interface Tally {
  accepted: number;
  deferred: number;
  refused: number;
  dropped: number;
}

/** Domains that are counted apart; the rest is counted together, under `*`. */
export const MOST_DOMAINS = 10_000;

/** What the sink has seen since it began. Plain integers: reading them is free at any time. */
export class Counters {
  /** Messages answered with 250, and their bytes. */
  messages = 0;
  bytes = 0;
  sessions = 0;
  openSessions = 0;
  /** With TLS, since the start. */
  encryptedSessions = 0;
  /** Connections greeted with 421. */
  turnedAway = 0;
  readonly recipients: Tally = tally();
  readonly byDomain = new Map<string, Tally>();

  /** One more recipient with that verdict. */
  count(domain: string, verdict: Verdict): void {
    this.recipients[verdict]++;
    let own = this.byDomain.get(domain);
    if (own === undefined) {
      const name = this.byDomain.size < MOST_DOMAINS ? domain : '*';
      own = this.byDomain.get(name);
      if (own === undefined) this.byDomain.set(name, (own = tally()));
    }
    own[verdict]++;
  }
}

function tally(): Tally {
  return { accepted: 0, deferred: 0, refused: 0, dropped: 0 };
}
