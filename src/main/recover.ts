import type { Events } from '../events/index.ts';
import type { Envelope } from '../message/index.ts';
import type { Dedup } from '../reception/index.ts';
import type { Reply } from '../smtp/index.ts';
import type { Recovered, Spool } from '../spool/index.ts';
import type { Clock } from '../world/index.ts';

/**
 * Messages that come back in one turn of the loop. The spool reads a segment at once, and what it yields comes without a
 * turn between: without ours, 55,000 messages kept everybody else waiting for half a second (bench/million.ts).
 */
export const RECOVERED_AT_ONCE = 250;

export interface RecoverParts {
  readonly clock: Pick<Clock, 'defer'>;
  readonly spool: Pick<Spool, 'recover'>;
  readonly queues: { readmit(found: Recovered, verdict?: Reply): void };
  /** What is no mail yet goes to whoever makes mail of it: they say whether it is theirs. */
  readonly transmissions?: {
    readmit(found: Recovered): boolean;
    /** What a message ends with at once. */
    verdict(envelope: Envelope): Reply | undefined;
    recovered(): void;
  };
  readonly events: Pick<Events, 'diagnose'>;
  /** The server ends: what has not come back yet waits on disk for the next start. */
  readonly stopping?: () => boolean;
  /** Keys of messages are known when all are back. */
  readonly dedup?: Pick<Dedup, 'remember' | 'recovered'>;
}

/** What an earlier process left comes back while new mail is taken already. Never rejects: an operator is told. */
export async function recover(parts: RecoverParts): Promise<void> {
  const { clock, spool, queues, transmissions, events, dedup, stopping = () => false } = parts;
  let count = 0;
  let brokenOff = false;
  try {
    for await (const batch of spool.recover()) {
      if (stopping()) {
        brokenOff = true;
        break;
      }
      for (const found of batch) {
        dedup?.remember(found.envelope);
        if (transmissions?.readmit(found) !== true) queues.readmit(found, transmissions?.verdict(found.envelope));
        if (++count % RECOVERED_AT_ONCE === 0) await new Promise<void>((resolve) => clock.defer(resolve));
      }
    }
    if (count > 0) events.diagnose('NOTICE', 'spool', `${count} messages came back from the spool`);
  } catch (error) {
    events.diagnose(
      'CRITICAL',
      'spool',
      `reading the spool failed after ${count} messages: ${error instanceof Error ? error.message : String(error)}`,
    );
  } finally {
    // Who waits to hear whether he was here before must not hear that he was not: it may stand in what was not read.
    if (!brokenOff) {
      dedup?.recovered();
      transmissions?.recovered();
    }
  }
}
