import { LintWarning, placeText } from '../errors.ts';
import type { Subject } from './rule.ts';
import { lintRules } from './rules.ts';

/** Warnings in all; a configuration with more has a program behind it, and the first ones tell what is wrong with that. */
const MOST = 10_000;

/** Everything that the rules do not like; the same trouble at the same place is told once, whoever it concerns. */
export function lint(subject: Subject, rules = lintRules): readonly LintWarning[] {
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
