import type { Configuration } from '../config/index.ts';
import type { Ledger } from '../queue/index.ts';

/** What a run may do without, as `-n` has it (manual page ecelerity). Without `queue` mail is taken, and waits. */
export const SERVICES = ['esmtp', 'ecstream', 'queue'] as const;
export type Service = (typeof SERVICES)[number];

/** A running server, as programs see it. */
export interface Server {
  readonly version: string;
  /** Open listeners in words: `ESMTP on 127.0.0.1:2525`. */
  readonly doors: readonly string[];
  readonly spoolDirectory: string;
  readonly configuration: Configuration;
  /** The books of its queues: always balanced. */
  readonly ledger: Ledger;
  /** Somebody at a console wants it to end. */
  onShutdown(run: () => void): void;
  /** Reads the configuration again; what goes wrong is in the paniclog, and nothing has changed. */
  reload(): Promise<void>;
  reopenLogs(): Promise<void>;
  /** Ends in order: no new mail, transactions in flight finished, everything on disk. */
  close(patienceMillis: number): Promise<void>;
}
