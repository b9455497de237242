import { type Millis, millis } from '../base/index.ts';
import { type Reply, reply } from '../smtp/index.ts';

/** What the sink does to a recipient. */
export type Behaviour = 'accept' | 'defer' | 'refuse' | 'slow' | 'drop' | 'busy' | 'grey';

/** Where in a transaction it does it: at RCPT, when the text begins to come, or after the final dot. */
export type Stage = 'rcpt' | 'data' | 'dot';

/** One shape for every behaviour; what a behaviour does not use holds its default. */
export interface Action {
  readonly behaviour: Behaviour;
  /** `slow` has two when none was named: RCPT and the dot; then `stage` is undefined. */
  readonly stage: Stage | undefined;
  /** What a recipient of `defer`, `refuse`, `busy` and `grey` is told. */
  readonly reply: Reply;
  /** `slow`: how long a reply takes. `busy`, `grey`: how long until mail is welcome. */
  readonly delay: Millis;
}

export const BEHAVIOURS: readonly Behaviour[] = ['accept', 'defer', 'refuse', 'slow', 'drop', 'busy', 'grey'];

const ENHANCED: Readonly<Record<number, readonly [string, string]>> = {
  421: ['4.7.0', 'too many connections or too much mail from your address, try again later'],
  450: ['4.2.1', 'mailbox temporarily unavailable'],
  451: ['4.3.0', 'local error in processing, try again later'],
  452: ['4.2.2', 'mailbox full, try again later'],
  454: ['4.7.0', 'temporary authentication failure'],
  550: ['5.1.1', 'no such mailbox here'],
  551: ['5.1.6', 'recipient has moved'],
  552: ['5.2.2', 'mailbox full'],
  553: ['5.1.3', 'mailbox name not allowed'],
  554: ['5.7.1', 'message refused by local policy'],
};

/** The reply a provider would give with that code: enhanced code and text are the usual ones. */
export function usualReply(code: number): Reply {
  const known = ENHANCED[code];
  if (known !== undefined) return reply(code, known[0], known[1]);
  return code < 500 ? reply(code, '4.0.0', 'try again later') : reply(code, '5.0.0', 'not accepted');
}

const FIVE_SECONDS = millis(5000);
const OK = reply(250, '2.1.5', 'recipient accepted');

const INITIAL: Readonly<Record<Behaviour, Action>> = {
  accept: { behaviour: 'accept', stage: 'dot', reply: OK, delay: millis(0) },
  defer: { behaviour: 'defer', stage: 'rcpt', reply: usualReply(450), delay: millis(0) },
  refuse: { behaviour: 'refuse', stage: 'rcpt', reply: usualReply(550), delay: millis(0) },
  slow: { behaviour: 'slow', stage: undefined, reply: OK, delay: FIVE_SECONDS },
  drop: { behaviour: 'drop', stage: 'data', reply: OK, delay: millis(0) },
  busy: {
    behaviour: 'busy',
    stage: 'rcpt',
    reply: reply(421, '4.3.2', 'server busy, try again later'),
    delay: FIVE_SECONDS,
  },
  grey: {
    behaviour: 'grey',
    stage: 'rcpt',
    reply: reply(450, '4.7.1', 'greylisted, try again later'),
    delay: FIVE_SECONDS,
  },
};

export const ACCEPT: Action = INITIAL.accept;

/** Longest wait that may be asked for: an hour. */
const LONGEST_DELAY = 3_600_000;

/**
 * `slow-5s-dot`, `defer-421`, `drop-rcpt`: a behaviour and what changes it, joined by hyphens. Modifiers are a reply code
 * (`defer`, `refuse`), a duration such as `500ms`, `5s`, `2m`, `5` (`slow`, `busy`, `grey`) or a stage (`defer`, `refuse`,
 * `slow`, `drop`).
 *
 * @param strict  false for local parts: what is not understood is part of a name and changes nothing
 * @throws RuleError when strict
 */
export function actionOf(behaviour: Behaviour, modifiers: readonly string[], strict: boolean): Action {
  let action = INITIAL[behaviour];
  for (const modifier of modifiers) {
    const next = modified(action, modifier);
    if (next !== undefined) action = next;
    else if (strict) throw new RuleError(`"${modifier}" says nothing to ${behaviour}`);
  }
  return action;
}

function modified(action: Action, modifier: string): Action | undefined {
  switch (action.behaviour) {
    case 'accept':
      return undefined;
    case 'defer':
      if (/^4\d\d$/.test(modifier)) return { ...action, reply: usualReply(Number(modifier)) };
      return atStage(action, modifier);
    case 'refuse':
      if (/^5\d\d$/.test(modifier)) return { ...action, reply: usualReply(Number(modifier)) };
      return atStage(action, modifier);
    case 'slow': {
      const delay = durationOf(modifier);
      return delay === undefined ? atStage(action, modifier) : { ...action, delay };
    }
    case 'drop':
      return atStage(action, modifier);
    case 'busy':
    case 'grey': {
      const delay = durationOf(modifier);
      return delay === undefined ? undefined : { ...action, delay };
    }
  }
}

function atStage(action: Action, word: string): Action | undefined {
  if (word === 'rcpt' || word === 'dot') return { ...action, stage: word };
  // A refusal while the text comes is one after the dot: SMTP has no earlier place for it.
  if (word === 'data' && action.behaviour === 'drop') return { ...action, stage: word };
  return undefined;
}

function durationOf(word: string): Millis | undefined {
  const parts = /^(\d{1,7})(ms|s|m)?$/.exec(word);
  if (parts === null) return undefined;
  const factor = parts[2] === 'ms' ? 1 : parts[2] === 'm' ? 60_000 : 1000;
  return millis(Math.min(Number(parts[1]) * factor, LONGEST_DELAY));
}

/** A rule of the command line or a rule file that cannot be understood; the text is for the operator. */
export class RuleError extends Error {}
