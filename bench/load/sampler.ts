import type { Group } from './group.ts';

/** Milliseconds between two looks. */
const INTERVAL = 200;

/** Memory of a group over the time of a run. */
export class Sampler implements Disposable {
  /** Bytes: resident, shared pages counted in each process; without them. */
  resident = 0;
  own = 0;
  processes = 0;
  /** Resident bytes at each look. */
  readonly course: number[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(group: Group) {
    const look = (): void => {
      const { resident, own, processes } = group.memory;
      this.resident = Math.max(this.resident, resident);
      this.own = Math.max(this.own, own);
      this.processes = Math.max(this.processes, processes);
      this.course.push(resident);
    };
    look();
    this.#timer = setInterval(look, INTERVAL);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
