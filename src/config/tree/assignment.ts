import { ConfigError } from '../errors.ts';
import { type PatternHost, type Place, type RawValue, ValueError } from '../option.ts';
import type { OptionEntry, Schema } from '../schema/schema.ts';
import { spelling } from '../schema/spelling.ts';
import { valueText } from '../text/print.ts';
import { concealedValue } from '../values/conceal.ts';
import type { Assignment } from './stanza.ts';

/**
 * Reads a value with the type of its option.
 *
 * @param written the name as it stands in the text
 * @throws ConfigError that says what was expected
 */
export function assignment(
  entry: OptionEntry,
  written: string,
  value: RawValue,
  at: Place,
  host?: PatternHost,
): Assignment {
  try {
    const values =
      entry.declared.length > 0
        ? entry.declared.map((option) => option.type.read(value, host))
        : [entry.type.read(value, host)];
    return { entry, value, at, values };
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    const shown = concealedValue(written, valueText(value));
    throw new ConfigError(
      `${written} = ${shown.length > 80 ? `${shown.slice(0, 77)}...` : shown}: expected ${error.message}`,
      {
        place: value.at,
        near: shown.slice(0, 80),
        cause: error,
      },
    );
  }
}

/** The error for a name that may not stand where it stands. */
export function unknownName(
  schema: Schema,
  scope: string,
  written: string,
  kind: 'option' | 'scope',
  place: Place | undefined,
): ConfigError {
  const name = written.toLowerCase();
  const where = spelling(scope);
  const elsewhere = schema.scopesOf(name);
  const near = elsewhere.length > 0 ? undefined : schema.nearest(scope, name, kind);
  const suggestion = near === undefined ? undefined : spelling(near);
  return new ConfigError(unknownText(schema, scope, name, written, where, kind, elsewhere, suggestion), {
    place,
    near: written,
    suggestion,
    capability: `${where}:${name}`,
    consoleText: `'${written}' is not a valid scope name in scope '${where}'`,
  });
}

function unknownText(
  schema: Schema,
  scope: string,
  name: string,
  written: string,
  where: string,
  kind: 'option' | 'scope',
  scopes: readonly string[],
  suggestion: string | undefined,
): string {
  if (kind === 'option' && schema.scope(scope, name)) return `'${written}' is a stanza: write ${written} { … }`;
  if (kind === 'scope' && schema.option(scope, name)) return `'${written}' is an option: write ${written} = …`;
  const elsewhere = scopes.map((each) => (each === '*module' ? 'any module' : spelling(each)));
  if (elsewhere.length > 0) return `'${written}' may not stand in ${where}, only in ${elsewhere.join(', ')}`;
  return `unknown ${kind === 'option' ? 'option' : 'stanza'} '${written}' in ${where}${suggestion === undefined ? '' : `; did you mean '${suggestion}'?`}`;
}
