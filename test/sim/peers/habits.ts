import type { Dice } from '../dice.ts';

/** Where a session of a mail exchanger can go wrong. */
export type Stage = 'banner' | 'ehlo' | 'mail' | 'rcpt' | 'data' | 'dot' | 'rset' | 'quit';

/** What a peer does when it is to reply (spec: delivery 8). */
export type Reaction =
  | 'well'
  | 'slowly'
  | 'byte by byte'
  | 'in many lines'
  | 'soft'
  | 'hard'
  | 'goodbye'
  | 'close'
  | 'reset'
  | 'hang'
  | 'nonsense'
  | 'strange code'
  | 'mixed, good last'
  | 'mixed, bad last'
  | 'a megabyte'
  | 'an endless line'
  | 'and closes';

/** How a mail exchanger behaves for a while. */
export type Mood = 'good' | 'flaky' | 'evil' | 'busy' | 'strict' | 'sluggish' | 'forgetful' | 'refusing' | 'silent';

/** Moods in which a host can be reached. */
const PROBABILITY: Readonly<Record<Mood, number>> = {
  good: 0,
  flaky: 0.04,
  evil: 0.2,
  busy: 0,
  strict: 0,
  sluggish: 0,
  forgetful: 0,
  refusing: 0,
  silent: 0,
};

const BAD: Readonly<Record<Exclude<Reaction, 'well'>, number>> = {
  slowly: 4,
  'byte by byte': 3,
  'in many lines': 2,
  soft: 6,
  hard: 4,
  goodbye: 2,
  close: 4,
  reset: 3,
  hang: 2,
  nonsense: 2,
  'strange code': 1,
  'mixed, good last': 1,
  'mixed, bad last': 1,
  'a megabyte': 0.3,
  'an endless line': 0.2,
  'and closes': 2,
};

/** @returns what a peer in that mood does at that stage */
export function reaction(mood: Mood, stage: Stage, dice: Dice): Reaction {
  switch (mood) {
    case 'good':
      return 'well';
    case 'busy':
      return stage === 'rcpt' || (stage === 'banner' && dice.happens(0.3)) ? 'soft' : 'well';
    case 'strict':
      return stage === 'rcpt' && dice.happens(0.5) ? 'hard' : stage === 'dot' && dice.happens(0.2) ? 'hard' : 'well';
    case 'sluggish':
      return dice.happens(0.3) ? dice.of(['slowly', 'byte by byte']) : 'well';
    case 'forgetful':
      return stage === 'dot' ? dice.of(['close', 'reset', 'hang', 'well', 'well', 'and closes']) : 'well';
    default:
      return dice.happens(PROBABILITY[mood]) ? dice.weighted(BAD) : 'well';
  }
}

/** What a peer does while a body comes. */
export type BodyHabit = 'reads' | 'stops reading' | 'closes' | 'resets' | 'complains';

export function bodyHabit(mood: Mood, dice: Dice): BodyHabit {
  if (mood !== 'evil' && mood !== 'flaky') return 'reads';
  return dice.happens(PROBABILITY[mood] / 2)
    ? dice.weighted({ 'stops reading': 2, closes: 2, resets: 2, complains: 1 })
    : 'reads';
}
