import { openSync, writeSync } from 'node:fs';
import type { Plan } from './plan.ts';
import type { Point } from './points.ts';

/**
 * Inside the server's process: counts visits, kills at the planned one, and writes down what happened with a plain
 * write(2) each. What the kernel has taken survives the process.
 */
export class Witness {
  readonly #file: number;
  readonly #plan: Plan;
  #visits = 0;

  constructor(path: string, plan: Plan) {
    this.#file = openSync(path, 'w');
    this.#plan = plan;
  }

  /** Somebody will want to know when this point is near: half of a write is prepared only then. */
  expects(point: Point): boolean {
    return this.#plan.kind === 'point' && this.#plan.point === point;
  }

  /** @returns true when the process is to die at this visit; `die` is then the caller's to call */
  visits(point: Point): boolean {
    if (!this.expects(point)) return false;
    return this.#plan.kind === 'point' && ++this.#visits === this.#plan.visit;
  }

  pass(point: Point): void {
    if (this.visits(point)) this.die();
  }

  die(): never {
    this.note('killed');
    process.kill(process.pid, 'SIGKILL');
    // The signal is delivered on the way out of kill(2).
    throw new Error('still alive');
  }

  /** @param line  a word, and numbers behind it */
  note(line: string): void {
    writeSync(this.#file, `${line} ${(performance.timeOrigin + performance.now()).toFixed(3)}\n`);
  }
}
