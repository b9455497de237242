import type { Pipe } from '../world/index.ts';

/** Gathers what one turn produces, so that it goes out in one write: the next envelope behind the last body. */
export class Outlet {
  #views: Uint8Array[] = [];
  #blocked = false;
  pipe: Pipe | undefined;

  /** The pipe has enough for now: no more of a body until `drained`. Commands may still go. */
  get blocked(): boolean {
    return this.#blocked;
  }

  add(view: Uint8Array): void {
    this.#views.push(view);
  }

  addAll(views: readonly Uint8Array[]): void {
    for (const view of views) this.#views.push(view);
  }

  flush(): void {
    if (this.#views.length === 0 || this.pipe === undefined) return;
    const views = this.#views;
    this.#views = [];
    if (!this.pipe.write(views)) this.#blocked = true;
  }

  drained(): void {
    this.#blocked = false;
  }

  /** What was not flushed is never sent. */
  clear(): void {
    this.#views = [];
  }
}
