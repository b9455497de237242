/** One measured figure. */
export interface Figure {
  readonly what: string;
  readonly measured: number;
  readonly unit: 'ns' | 'µs' | 'ms' | 's' | 'MB';
  /** Undefined: for comparison only. */
  readonly most: number | undefined;
}

export class Figures {
  readonly all: Figure[] = [];

  add(what: string, measured: number, unit: Figure['unit'], most?: number): void {
    const figure = { what, measured, unit, most };
    this.all.push(figure);
    const target = most === undefined ? '' : `  (at most ${most}: ${measured <= most ? 'met' : 'NOT MET'})`;
    console.log(`${what.padEnd(74)} ${shown(measured).padStart(8)} ${unit}${target}`);
  }
}

export function shown(measured: number): string {
  return measured >= 100 ? measured.toFixed(0) : measured >= 10 ? measured.toFixed(1) : measured.toFixed(2);
}

/** @returns the least of several rounds, for each time: others use the machine too, and only add */
export function best(rounds: number, times: number, work: () => void): number {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const began = performance.now();
    work();
    least = Math.min(least, performance.now() - began);
  }
  return least / times;
}
