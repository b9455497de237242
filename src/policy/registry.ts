import type { Events } from '../events/index.ts';
import { reply } from '../smtp/index.ts';
import { decides, type Hook, type Phases, type Policy, type Verdict } from './phases.ts';

/** What a hook that broke costs the client: it may come again. */
const FAILED = reply(451, '4.3.0', 'transaction failed');
const CONTINUE: Verdict = { kind: 'continue' };

interface Registered<P extends keyof Phases> {
  readonly module: string;
  readonly hook: Hook<P>;
}

type Lists = { [P in keyof Phases]: readonly Registered<P>[] };

/**
 * Hooks run in the order of their registration; the first verdict that decides ends the phase. The connection variable
 * `__bypass_MODULE = true` passes the hooks of a module over.
 */
export function policy(events: Pick<Events, 'diagnose'>): Policy {
  // Lists are replaced, never changed: a run that waits goes on with the list it began with.
  const lists: Lists = {
    core_validate_accept: [],
    validate_connect: [],
    validate_ehlo: [],
    validate_mailfrom: [],
    validate_rcptto: [],
    validate_data: [],
    validate_data_spool: [],
    validate_data_spool_each_rcpt: [],
    validate_set_binding: [],
    core_final_validation: [],
    command_misspoken: [],
  };

  const failed = (phase: keyof Phases, module: string, error: unknown): Verdict => {
    events.diagnose('ERROR', module, `${phase} failed, the client was answered with 451: ${reason(error)}`);
    return { kind: 'soft', reply: FAILED, module };
  };

  const named = (verdict: Verdict, module: string): Verdict =>
    verdict.kind === 'reject' || verdict.kind === 'soft' ? { ...verdict, module } : verdict;

  function runFrom<P extends keyof Phases>(
    phase: P,
    subject: Phases[P],
    list: readonly Registered<P>[],
    first: number,
  ): Verdict | Promise<Verdict> {
    for (let index = first; index < list.length; index += 1) {
      const { hook, module } = list[index] as Registered<P>;
      if (subject.connectionContext[`__bypass_${module}`] === 'true') continue;
      let verdict: Verdict | Promise<Verdict>;
      try {
        verdict = hook(subject);
      } catch (error) {
        return failed(phase, module, error);
      }
      if (verdict instanceof Promise) {
        return verdict.then(
          (late) => (decides(late) ? named(late, module) : runFrom(phase, subject, list, index + 1)),
          (error: unknown) => failed(phase, module, error),
        );
      }
      if (decides(verdict)) return named(verdict, module);
    }
    return CONTINUE;
  }

  return {
    has: (phase) => lists[phase].length > 0,
    run: <P extends keyof Phases>(phase: P, subject: Phases[P]) => runFrom(phase, subject, lists[phase], 0),
    hook<P extends keyof Phases>(phase: P, module: string, hook: Hook<P>): Disposable {
      const registered: Registered<P> = { module, hook };
      lists[phase] = [...lists[phase], registered] as unknown as Lists[P];
      return {
        [Symbol.dispose]() {
          lists[phase] = lists[phase].filter((other) => other !== registered) as unknown as Lists[P];
        },
      };
    },
  };
}

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));
