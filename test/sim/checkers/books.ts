import type { DiagnosticEvent } from '../../../src/events/index.ts';
import type { Ledger } from '../../../src/queue/index.ts';
import type { Violations } from '../violations.ts';

/** What the events of one life say that the ledger must say too. */
interface Told {
  received: number;
  generated: number;
  delivered: number;
  ended: number;
}

/** The ledger balances at every quiet moment, and says what the events say; and nothing is alarming without a reason. */
export class Books {
  readonly #violations: Violations;
  readonly #troubled: () => boolean;
  readonly #nameless: boolean;
  #told: Told = { received: 0, generated: 0, delivered: 0, ended: 0 };

  /**
   * @param troubled whether the spool's disk went wrong lately
   * @param nameless whether the name server goes wrong in this seed
   */
  constructor(violations: Violations, troubled: () => boolean, nameless: boolean) {
    this.#violations = violations;
    this.#troubled = troubled;
    this.#nameless = nameless;
  }

  count(what: keyof Told): void {
    this.#told[what]++;
  }

  born(): void {
    this.#told = { received: 0, generated: 0, delivered: 0, ended: 0 };
  }

  quiet(ledger: Ledger): void {
    const { received, generated, delivered, failed, expired, difference } = ledger;
    const told = this.#told;
    if (
      difference === 0 &&
      received === told.received &&
      generated === told.generated &&
      delivered === told.delivered &&
      failed + expired === told.ended
    )
      return;
    this.#violations.report(
      'ledger',
      `difference ${difference}; received ${received}, generated ${generated}, delivered ${delivered}, ` +
        `failed ${failed}, expired ${expired}; events say ${JSON.stringify(told)}`,
    );
  }

  diagnosed({ level, module, text }: DiagnosticEvent): void {
    if (level !== 'CRITICAL') return;
    if (module === 'spool' && this.#troubled()) return;
    if (module === 'delivery' && text.startsWith('DNS: ') && this.#nameless) return;
    this.#violations.report('alarms', `${module}: ${text}`);
  }
}
