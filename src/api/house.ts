import type { Generation, View } from '../config/index.ts';
import type { House } from '../console/index.ts';
import type {
  Acceptances,
  ApiStore,
  RecipientLists,
  StoredTemplates,
  Suppressions,
  Transmissions,
} from '../generation/index.ts';
import type { Pressure } from '../http/index.ts';
import type { Spool } from '../spool/index.ts';
import type { Templates } from '../templates/index.ts';
import type { Chance, MemoryUse, Resolver } from '../world/index.ts';
import type { Traffic } from './traffic.ts';

/** All that routes see of the server: the console's views, and a few of their own. Routes hold no state. */
export interface ApiHouse extends Pick<House, 'clock' | 'queues' | 'delivery' | 'sessions' | 'statistics' | 'names'> {
  readonly product: { readonly name: string; readonly version: string };
  /** Why the server should get no traffic now; empty when it should. Words for people. */
  unready(): readonly string[];
  readonly pressure: Pressure;
  readonly spool: { readonly statistics: Spool['statistics'] };
  /** Counted since the start; a reset of the statistics leaves it, as counters of metrics must be. */
  readonly traffic: Traffic;
  /** The resolver's own counts, which no reset touches either. */
  readonly resolver: Pick<Resolver, 'statistics'>;
  memory(): MemoryUse;
  /** How late the event loop was at most within the last seconds, in seconds. */
  eventLoopLag(): number;
  global(): View;
  readonly chance: Pick<Chance, 'below'>;
  generation(): Generation;
  /** Lets mail have its turn. */
  readonly turn: () => Promise<void>;
  readonly language: Templates;
  readonly store: Pick<ApiStore, 'trouble'>;
  readonly acceptances: Acceptances;
  readonly lists: RecipientLists;
  readonly transmissions: Transmissions;
  readonly templates: StoredTemplates;
  readonly suppressions: Suppressions;
}
