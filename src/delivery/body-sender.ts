import type { Segments } from '../base/index.ts';
import type { Outlet } from './outlet.ts';
import type { Transaction } from './transaction.ts';

/** A slice of a body goes out in one write with whatever surrounds it. */
const SLICE = 65_536;

export interface SenderHost {
  /** The body and its final dot are in the outlet. */
  sent(of: Transaction): void;
  /** The disk does not give the body back. */
  broken(of: Transaction, cause: unknown): void;
  /** A slice has come from the disk in a turn of its own: what follows from it must be seen to. */
  moved(): void;
}

/** Sends one body at a time, slice by slice, as fast as the peer takes it and the disk gives it. */
export class BodySender {
  readonly #outlet: Outlet;
  readonly #host: SenderHost;
  #sending: Transaction | undefined;
  /** A slice is being read: nothing else is asked for. */
  #reading = false;

  constructor(outlet: Outlet, host: SenderHost) {
    this.#outlet = outlet;
    this.#host = host;
  }

  begin(of: Transaction): void {
    this.#sending = of;
    this.pump();
  }

  /** That transaction has ended, or all have: no more of it is sent. */
  stop(of?: Transaction): void {
    if (of === undefined || this.#sending === of) this.#sending = undefined;
  }

  /** To be called when the pipe can take more. */
  pump(): void {
    const of = this.#sending;
    if (of === undefined || this.#reading) return;
    let gathered = 0;
    while (!this.#outlet.blocked) {
      let slice: Segments | Promise<Segments> | undefined;
      try {
        slice = of.hold.next(SLICE);
      } catch (cause) {
        this.#fail(of, cause);
        return;
      }
      if (slice === undefined) {
        this.#sending = undefined;
        this.#outlet.addAll(of.body.end());
        of.hold[Symbol.dispose]();
        this.#host.sent(of);
        return;
      }
      if (slice instanceof Promise) {
        this.#await(of, slice);
        return;
      }
      gathered += this.#push(of, slice);
      if (gathered >= SLICE) {
        this.#outlet.flush();
        gathered = 0;
      }
    }
  }

  #await(of: Transaction, slice: Promise<Segments>): void {
    this.#reading = true;
    this.#outlet.flush();
    slice.then(
      (read) => {
        this.#reading = false;
        if (this.#sending !== of) return;
        this.#push(of, read);
        this.#outlet.flush();
        this.pump();
        this.#host.moved();
      },
      (cause: unknown) => {
        this.#reading = false;
        if (this.#sending === of) this.#fail(of, cause);
      },
    );
  }

  #push(of: Transaction, slice: Segments): number {
    let bytes = 0;
    for (const view of of.body.pass(slice)) {
      this.#outlet.add(view);
      bytes += view.length;
    }
    of.bytes += bytes;
    return bytes;
  }

  #fail(of: Transaction, cause: unknown): void {
    this.#sending = undefined;
    // It must not reach the peer as if it were whole.
    this.#outlet.clear();
    this.#host.broken(of, cause);
  }
}
