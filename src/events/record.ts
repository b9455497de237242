import type { Clock } from '../world/index.ts';
import type { EventKind, Events, MailEvent } from './events.ts';

/** One subscription; a mutable mark so that a broken hearer is told of once and not for each message. */
interface Hearer {
  readonly hear: (event: MailEvent) => void;
  broken: boolean;
}

/**
 * The house's one place where things that happened are told. Hearers are called at once, in the order they came;
 * one that unsubscribes or subscribes meanwhile changes nothing for the event that is being told.
 *
 * @param generationOf number of the live configuration, asked for each diagnostic
 */
export function events(clock: Clock, generationOf: () => number): Events {
  const hearers: Record<EventKind, readonly Hearer[]> = {
    reception: [],
    delivery: [],
    transient: [],
    permanent: [],
    rejection: [],
    accounting: [],
    generation: [],
    request: [],
    diagnostic: [],
  };

  const diagnose: Events['diagnose'] = (level, module, text) => {
    record({ kind: 'diagnostic', at: clock.date(), generation: generationOf(), level, module, text });
  };

  function record(event: MailEvent): void {
    // Lists are replaced, never changed: this one stays as it is while it is walked.
    const list = hearers[event.kind];
    for (let index = 0; index < list.length; index++) tell(list[index] as Hearer, event);
  }

  function tell(hearer: Hearer, event: MailEvent): void {
    try {
      hearer.hear(event);
    } catch (error) {
      if (hearer.broken) return;
      hearer.broken = true;
      diagnose('CRITICAL', 'events', `a hearer of ${event.kind} events failed; others go on: ${reason(error)}`);
    }
  }

  return {
    record,
    diagnose,
    subscribe(kinds, hear) {
      // Only events of these kinds are ever handed to it: the lists below are kept by kind.
      const hearer: Hearer = { hear: hear as (event: MailEvent) => void, broken: false };
      for (const kind of kinds) hearers[kind] = [...hearers[kind], hearer];
      return {
        [Symbol.dispose]() {
          for (const kind of kinds) hearers[kind] = hearers[kind].filter((other) => other !== hearer);
        },
      };
    },
  };
}

/** The stack has the place of the bug; only its first two lines, since the paniclog is a line log. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const [, place = ''] = (error.stack ?? '').split('\n').map((line) => line.trim());
  return place === '' ? error.message : `${error.message} (${place})`;
}
