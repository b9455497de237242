import { LintWarning, placeText } from '../errors.ts';
import { type Door, doorsOf } from './doors.ts';
import type { Subject } from './rule.ts';
import { lintRules } from './rules.ts';

/** Warnings in all; a configuration with more has a program behind it, and the first ones tell what is wrong with that. */
const MOST = 10_000;

/** Everything that the rules do not like; the same trouble at the same place is told once, whoever it concerns. */
export function lint(given: Omit<Subject, 'doors'>, rules = lintRules): readonly LintWarning[] {
  const subject = new Look(given);
  const found = new Map<string, LintWarning>();
  for (const rule of rules) {
    for (const { place, text, suggestion } of rule.find(subject)) {
      const key = `${rule.id} ${placeText(place)}`;
      if (!found.has(key)) found.set(key, new LintWarning(rule.id, place, text, suggestion));
      if (found.size >= MOST) return [...found.values()];
    }
  }
  return [...found.values()];
}

/** Several rules ask for the same doors. */
class Look implements Subject {
  readonly generation: Subject['generation'];
  readonly schema: Subject['schema'];
  readonly sources: Subject['sources'];
  readonly #doors = new Map<string, readonly Door[]>();

  constructor(given: Omit<Subject, 'doors'>) {
    this.generation = given.generation;
    this.schema = given.schema;
    this.sources = given.sources;
  }

  doors(listener: string): readonly Door[] {
    let doors = this.#doors.get(listener);
    if (!doors) {
      doors = doorsOf(this.generation, listener);
      this.#doors.set(listener, doors);
    }
    return doors;
  }
}
