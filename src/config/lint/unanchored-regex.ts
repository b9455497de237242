import { compilePattern, type Pattern } from '../patterns/pattern.ts';
import { stanzaTitle } from '../tree/stanza.ts';
import { stanzasOf } from './effective.ts';
import type { LintRule } from './rule.ts';

export const unanchoredRegex: LintRule = {
  id: 'unanchored-regex',
  summary: 'a pattern that matches names inside of other names, or whose dots match any character',
  *find({ generation }) {
    for (const { stanza } of stanzasOf(generation.tree)) {
      if (stanza.pattern === undefined || stanza.written === undefined) continue;
      const pattern = stanza.written.slice(1, -1);
      const open = openEnds(pattern);
      const dots = hasBareDot(pattern);
      if (open === undefined && !dots) continue;
      const better = anchored(pattern);
      const example = better && misfit(stanza.pattern, pattern, open);
      yield {
        place: stanza.at,
        text: [
          `${stanzaTitle(stanza)}`,
          [
            open && `is not anchored at ${open}`,
            dots && "has a '.' that matches any character",
            example && `matches ${example} as well`,
          ]
            .filter((part) => part !== undefined && part !== false && part !== '')
            .join(', '),
        ].join(' '),
        ...(better === undefined ? {} : { suggestion: `"/${better}/"` }),
      };
    }
  },
};

/**
 * Where a pattern ends in the middle of a name. A dot or a wildcard at an end says that more may stand there, so
 * `[.]example$` and `^relay[0-9]+[.]` are as they should be.
 */
function openEnds(pattern: string): string | undefined {
  const parts = alternatives(unwrapped(pattern.replace(/^\(\?[a-z]+\)/i, '')));
  const start = parts.some((part) => !STARTS.test(part));
  const end = parts.some((part) => !ENDS.test(part));
  if (start && end) return 'either end';
  return start ? 'its start' : end ? 'its end' : undefined;
}

const DOT = String.raw`(?:\[\\?\.\]|\\\.)`;
const STARTS = new RegExp(String.raw`^(?:\^|\\A|\\b|\(\?<|\((?:\?:)?(?:\^|\\A)|\((?:\?:)?${DOT}|\.[*+]|${DOT})`);
const ENDS = new RegExp(String.raw`(?:(?<!\\)\$|\\[zZb]|(?<!\\)\$\)|\.[*+]\??\)?|${DOT}[?*+]?)$`);

/** Without a group that is around all of it: `(a|b)`. */
function unwrapped(pattern: string): string {
  const inner = /^\((?:\?:)?([^()]*)\)$/.exec(pattern)?.[1];
  return inner ?? pattern;
}

/** Split at the bars that stand outside of groups and classes. */
function alternatives(pattern: string): readonly string[] {
  const parts: string[] = [];
  let from = 0;
  let deep = 0;
  let inClass = false;
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at];
    if (char === '\\') at++;
    else if (inClass) inClass = char !== ']';
    else if (char === '[') inClass = true;
    else if (char === '(') deep++;
    else if (char === ')') deep--;
    else if (char === '|' && deep === 0) {
      parts.push(pattern.slice(from, at));
      from = at + 1;
    }
  }
  parts.push(pattern.slice(from));
  return parts;
}

/** A dot between two characters of a name: `yahoo.com`, where the point is meant. */
const BARE_DOT = /(?<=[a-z0-9)\]])(?<!\\[a-z0-9])\.(?=[a-z0-9(])/gi;

function hasBareDot(pattern: string): boolean {
  return pattern.replace(/\[[^\]]*\]/g, '[]').search(BARE_DOT) !== -1;
}

/** The pattern as it was most likely meant; undefined where only its writer can know. */
function anchored(pattern: string): string | undefined {
  // Letters, digits, hyphens, dots and bars only: whoever writes more than names knows what it is for.
  if (!/^\^?\(?(?:[a-z0-9|-]|\\?\.|\[\.\])+\)?\$?$/i.test(pattern)) return undefined;
  const bare = pattern
    .replace(/^\^/, '')
    .replace(/\$$/, '')
    .replace(/^\((.*)\)$/, '$1');
  if (/[()^$]/.test(bare)) return undefined;
  const escaped = bare.replace(/\\\.|\[\.\]|\./g, '\\.');
  const group = escaped.includes('|') ? `(${escaped})` : escaped;
  const better = `${pattern.startsWith('^') ? '^' : '(^|\\.)'}${group}$`;
  try {
    compilePattern(better);
    return better;
  } catch {
    return undefined;
  }
}

/** A name that shows the trouble, tried on the pattern itself. */
function misfit(compiled: Pattern, pattern: string, open: string | undefined): string | undefined {
  const [first = ''] = alternatives(pattern.replace(/[\^$()]/g, ''));
  const name = first.replace(/\\\.|\[\.\]/g, '.').toLowerCase();
  const candidates =
    open === undefined || open === 'its end'
      ? [open === undefined ? name.replace('.', 'x') : `${name}.evil.example`]
      : open === 'its start'
        ? [`not${name}`]
        : [`not${name}.evil.example`];
  return candidates.find((candidate) => candidate !== name && compiled.test(candidate));
}
