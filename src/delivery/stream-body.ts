import type { Millis, Segments } from '../base/index.ts';
import type { Clock } from '../world/index.ts';
import type { Flight } from './stream-flight.ts';

/** Of a body, in one write. */
const SLICE = 65_536;

export interface StreamBodyHost {
  readonly clock: Clock;
  /** The pipe takes no more for now. */
  readonly blocked: boolean;
  /** A slice goes out; an empty one ends the body. */
  pass(flight: Flight, slice: Segments): void;
  flush(): void;
  /** The disk does not give the body back. */
  broken(flight: Flight, cause: unknown): void;
  /** A slice has come from the disk in a turn of its own: what follows from it must be seen to. */
  moved(): void;
}

/** Sends one body at a time, as fast as the peer takes it and the disk gives it. */
export class StreamBody {
  readonly #host: StreamBodyHost;
  #flight: Flight | undefined;
  /** Whose slice is asked of the disk. */
  #reading: Flight | undefined;
  #movedAt: Millis | undefined;

  constructor(host: StreamBodyHost) {
    this.#host = host;
  }

  /** Its body is being sent: nothing else may begin. */
  get flight(): Flight | undefined {
    return this.#flight;
  }

  /** Since when the peer takes nothing of the body; undefined when it does not have to, or we have nothing to give. */
  get stuckSince(): Millis | undefined {
    return this.#flight !== undefined && this.#reading !== this.#flight ? this.#movedAt : undefined;
  }

  begin(flight: Flight): void {
    this.#flight = flight;
    this.pump();
  }

  /** All of it is out, or no more of it is to go. */
  stop(flight: Flight): void {
    if (this.#flight === flight) this.#flight = undefined;
  }

  /** To be called when the pipe can take more. */
  pump(): void {
    const host = this.#host;
    this.#movedAt = host.clock.now();
    for (let flight = this.#flight; flight !== undefined; flight = this.#flight) {
      if (this.#reading === flight || host.blocked) return;
      let slice: Segments | Promise<Segments> | undefined;
      try {
        slice = flight.hold.next(SLICE);
      } catch (cause) {
        this.#flight = undefined;
        return host.broken(flight, cause);
      }
      if (slice instanceof Promise) return this.#await(flight, slice);
      host.pass(flight, slice ?? []);
    }
  }

  #await(flight: Flight, slice: Promise<Segments>): void {
    this.#reading = flight;
    this.#host.flush();
    const read = (): boolean => {
      // Another body may have begun meanwhile, when the peer would not have this one.
      if (this.#reading === flight) this.#reading = undefined;
      return this.#flight === flight;
    };
    slice.then(
      (bytes) => {
        if (!read()) return;
        this.#host.pass(flight, bytes);
        this.pump();
        this.#host.moved();
      },
      (cause: unknown) => {
        if (!read()) return;
        this.#flight = undefined;
        this.#host.broken(flight, cause);
        this.#host.moved();
      },
    );
  }
}
