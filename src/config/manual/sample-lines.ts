import type { Schema } from '../schema/schema.ts';
import { spelling } from '../schema/spelling.ts';
import { quote } from '../text/print.ts';
import { type DefaultValue, defaultText } from './defaults.ts';

/**
 * A line that sets an option, with the stanzas around it: `Domain "example.com" { Max_Retries = 5 }`. A test reads them
 * all.
 */
export function sampleLine(schema: Schema, name: string, scopes: readonly string[], value: string): string {
  const line = `${spelling(name)} = ${value}`;
  const scope = ASKED_FIRST.find((each) => scopes.includes(each)) ?? scopes[0] ?? 'global';
  if (scope === '*') return `${name} ${value}`;
  return around(schema, scope === '*module' ? 'ec_logger' : scope, line, scopes);
}

/** The head of a stanza as it may be written: `Binding "name"`. */
export function sampleHead(schema: Schema, parent: string, type: string): string {
  const instance = schema.scope(parent, type)?.instance ?? 'none';
  return instance === 'none' ? spelling(type) : `${spelling(type)} ${quote(INSTANCES.get(type) ?? 'name')}`;
}

/**
 * A stanza with those around it, down from Global.
 *
 * @param preferred scopes that stand around it rather than others that may: the listener of a `Listen`
 */
export function around(schema: Schema, scope: string, inner: string, preferred: readonly string[] = []): string {
  if (scope === 'global') return inner;
  const parents = schema.parentsOf(scope);
  const parent =
    PARENTS_FIRST.find((each) => parents.includes(each) && (each === 'global' || preferred.includes(each))) ??
    PARENTS_FIRST.find((each) => parents.includes(each)) ??
    parents[0] ??
    'global';
  return around(schema, parent, `${sampleHead(schema, parent, scope)} { ${inner} }`, preferred);
}

/** A value that may stand there: the default where there is one, else the first spelling that is accepted. */
export function sampleValue(
  spellings: readonly string[],
  initial: DefaultValue | undefined,
  refersTo: string | undefined,
): string {
  if (refersTo !== undefined) return REFERENCES.get(refersTo) ?? '"name"';
  if (initial !== undefined && initial !== '' && !(Array.isArray(initial) && initial.length === 0))
    return defaultText(initial);
  return spellings[0] ?? '""';
}

/** In which of its scopes an example stands. */
const ASKED_FIRST = ['global', 'binding', 'domain', 'esmtp_listener', 'pathway', 'listen', 'peer', 'host'];
const PARENTS_FIRST = ['global', 'esmtp_listener', 'control_listener'];

const INSTANCES: ReadonlyMap<string, string> = new Map([
  ['domain', 'example.com'],
  ['host', 'mx.example.com'],
  ['listen', '127.0.0.1:2525'],
  ['peer', '10.0.0.0/8'],
]);

/** Names that are there without being written. */
const REFERENCES: ReadonlyMap<string, string> = new Map([
  ['pathway', 'default'],
  ['threadpool', 'IO'],
  ['eventloop', '"name"'],
]);
