import type { Templates } from '../templates/index.ts';
import type { Acceptances } from './acceptances.ts';
import type { MakerParts } from './maker.ts';
import type { ScheduleParts } from './schedule.ts';

/** What making messages needs of the rest of the house. */
export interface TransmissionsParts extends MakerParts {
  readonly templates: Templates;
  readonly acceptances: Acceptances;
  readonly store: ScheduleParts['store'];
  readonly queues: ScheduleParts['queues'];
  /** Lets mail have its turn. */
  readonly turn: () => Promise<void>;
  /** Why nothing new should be made at the moment. */
  readonly full: () => string | undefined;
}
