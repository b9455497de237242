import { spelling } from '../schema/spelling.ts';
import { type Stanza, stanzaTitle } from '../tree/stanza.ts';
import { isCatchAll } from './catch-all.ts';
import { stanzasOf } from './effective.ts';
import type { Finding, LintRule } from './rule.ts';

/** What one literal name is, written as a pattern: `^mx\.example$`. */
const WHOLE_NAME = /^(?:\^|\\A)((?:[a-z0-9-]|\\\.|\[\.\])+)(?:\$|\\[zZ])$/i;

/** Each pattern is tried on those before it, so that many would take their square. */
const MOST = 1000;

export const regexNeverDecides: LintRule = {
  id: 'regex-never-decides',
  summary: 'a pattern whose names all find its values in a stanza that is asked before it',
  *find({ generation }) {
    for (const { stanza } of stanzasOf(generation.tree)) {
      for (const type of ['domain', 'host']) yield* judged([...(stanza.children.get(type)?.values() ?? [])]);
    }
  },
};

function* judged(stanzas: readonly Stanza[]): Iterable<Finding> {
  const literals = new Map(stanzas.filter((each) => each.pattern === undefined).map((each) => [each.instance, each]));
  const catchAll: Stanza[] = [];
  const patterns: Stanza[] = [];
  if (stanzas.length - literals.size > MOST) return;
  for (const stanza of stanzas) {
    if (stanza.pattern === undefined) continue;
    const before = askedBefore(stanza, literals, catchAll, patterns);
    const names = [...stanza.options.keys()];
    const setter = (name: string) => before.find((each) => each.options.has(name));
    if (names.length > 0 && names.every((name) => setter(name) !== undefined)) {
      const others = [...new Set(names.flatMap((name) => setter(name) ?? []))];
      yield {
        place: stanza.at,
        text: `${stanzaTitle(stanza)} can never decide: ${others.map(stanzaTitle).join(' and ')}, asked before it, set ${names.map(spelling).join(', ')} for all of its names`,
      };
    }
    if (isCatchAll(stanza)) catchAll.push(stanza);
    patterns.push(stanza);
  }
}

/** Stanzas that hold for each name that this pattern matches, and stand before it. */
function askedBefore(
  stanza: Stanza,
  literals: ReadonlyMap<string, Stanza>,
  catchAll: readonly Stanza[],
  patterns: readonly Stanza[],
): readonly Stanza[] {
  const name = WHOLE_NAME.exec(stanza.instance.slice(1, -1))?.[1]
    ?.replace(/\\\.|\[\.\]/g, '.')
    .toLowerCase();
  if (name === undefined || name.length > 253) return catchAll;
  const literal = literals.get(name);
  return [
    ...(literal ? [literal] : []),
    ...patterns.filter((each) => isQuick(each.instance) && each.pattern?.test(name)),
  ];
}

/** No repetition of a group, and few in all: a check must end, whatever the server will make of such a pattern. */
function isQuick(pattern: string): boolean {
  return !/\)[*+{]/.test(pattern) && (pattern.match(/[*+{]/g)?.length ?? 0) <= 2;
}
