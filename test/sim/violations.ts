/** A rule that was broken. */
export interface Violation {
  /** Which of the checkers found it. */
  readonly rule: string;
  readonly what: string;
}

/** Collects what checkers find; the first one ends the simulation. */
export class Violations {
  readonly found: Violation[] = [];
  readonly #note: (text: string) => void;

  constructor(note: (text: string) => void) {
    this.#note = note;
  }

  report(rule: string, what: string): void {
    this.found.push({ rule, what });
    this.#note(`VIOLATION of ${rule}: ${what}`);
  }

  /** @throws SimulationOver when something was found */
  stop(): void {
    if (this.found.length > 0) throw new SimulationOver();
  }
}

/** Ends a simulation in which something was found. */
export class SimulationOver extends Error {}
