import type { Endpoint } from '../base/index.ts';
import type { Generation } from '../config/index.ts';

/** Where a console came in, as the listener hands it over. */
export interface ConsoleOrigin {
  readonly endpoint: Endpoint;
  readonly generation: Pick<Generation, 'receiving'>;
  /** Called once, when the connection is closed. */
  readonly ended: () => void;
}
