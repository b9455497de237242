import type { Effects } from '../config/index.ts';
import type { Listeners } from '../listener/index.ts';
import type { QueueRegistry } from '../queue/index.ts';
import type { OpenReception } from '../reception/index.ts';
import type { Clock } from '../world/index.ts';
import type { ModuleShelf } from './module-shelf.ts';
import { socketEffects } from './socket-effects.ts';

export interface EffectsParts {
  readonly clock: Clock;
  readonly listeners: () => Listeners;
  readonly queues: QueueRegistry;
  readonly reception: OpenReception;
  readonly shelf: Pick<ModuleShelf, 'plan'>;
}

/** What the rooms would do with a generation that is not live: each is asked itself. */
export function effects({ clock, listeners, queues, reception, shelf }: EffectsParts): Effects {
  return {
    sockets: (next) => socketEffects(listeners().plan(next)),
    modules: (next) => shelf.plan(next),
    *pairs() {
      for (const { binding, domain, active, delayed, inFlight } of queues.all())
        yield { binding, domain, messages: active + delayed + inFlight };
    },
    sessions: (next) => ({ open: reception.sessions, closed: reception.movedBy(next) }),
    turn: () => new Promise((resolve) => clock.defer(resolve)),
  };
}
