import { Lru } from '../base/index.ts';
import type { Escape } from './escape.ts';
import { withoutLinkAttributes } from './link-attributes.ts';
import { type Body, MOST_OUTPUT, Run, type Surroundings } from './run.ts';
import { type Compiled, compile } from './statements.ts';
import { TemplateError } from './trouble.ts';
import type { Data } from './value.ts';

/** A text of a message that may hold `{{ }}`. */
export interface Template {
  /** The text itself when nothing in it depends on data. */
  readonly constant: string | undefined;
  /** @throws TemplateError of kind `render` */
  render(data: Data): string;
}

/** Where a text stands: a body of a message, or one of its header fields. */
export type Place = 'text' | 'html' | 'amp_html' | `Header:${string}`;

export interface Templates {
  /** @throws TemplateError of kind `syntax` */
  compile(source: string, place: Place): Template;
}

/** Compiled templates that are kept, and their characters together: each tag of five becomes some hundred bytes. */
const KEPT = 500;
const KEPT_CHARACTERS = 2_097_152;
const LONGEST_KEPT = 65_536;

/**
 * The template language (spec/http-api 5). Templates become closures over a plain tree of data; what runs is never text.
 *
 * @param now milliseconds on any scale, for the limit on a rendering's time
 */
export function templates(now: () => number): Templates {
  const known = new Lru<string, Compiled>(KEPT);
  /** Of all that were put in since it was empty. */
  let characters = 0;

  function compiled(source: string, place: string): Compiled {
    const key = `${place}\n${source}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    const made = compile(source, place, escapeOf(place));
    if (source.length > LONGEST_KEPT) return made;
    // Nearly nobody has so many: then all are compiled again once.
    if (characters + source.length > KEPT_CHARACTERS) {
      known.clear();
      characters = 0;
    }
    characters += source.length;
    known.set(key, made);
    return made;
  }

  const surroundings: Surroundings = {
    now,
    body: (source, place): Body => compiled(source, place).body,
  };

  return {
    compile(source, place) {
      const { body, constant } = compiled(source, place);
      if (constant !== undefined) {
        const text = withoutLinkAttributes(constant, place);
        if (text.length > MOST_OUTPUT / 3 && Buffer.byteLength(text) > MOST_OUTPUT)
          throw new TemplateError('render', place, 1, `it is longer than ${MOST_OUTPUT} bytes`);
        return { constant: text, render: () => text };
      }
      const manner = escapeOf(place);
      return {
        constant: undefined,
        render(data) {
          const run = new Run(data, place, manner, surroundings);
          body(run);
          return withoutLinkAttributes(run.finished(), place);
        },
      };
    },
  };
}

const escapeOf = (place: string): Escape => (place === 'html' || place === 'amp_html' ? 'html' : 'none');
