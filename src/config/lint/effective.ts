import { bindingName } from '../../base/index.ts';
import { chainOf, fallsToGlobal, type Query } from '../fallback/chain.ts';
import type { CompiledGeneration } from '../fallback/compiled-generation.ts';
import type { Schema } from '../schema/schema.ts';
import type { Assignment, Stanza } from '../tree/stanza.ts';
import { texts } from '../values/scalar.ts';

/**
 * What a query finds for an option, by the chain that views are made of. It asks by name, so that rules can judge
 * options of rooms above this one, and options that nobody reads yet.
 *
 * @returns undefined when the built-in default holds
 */
export function effective(generation: CompiledGeneration, query: Query, name: string): Assignment | undefined {
  for (const { stanza } of chainOf(generation.root, query)) {
    const assigned = stanza.options.get(name);
    if (assigned) return assigned;
  }
  return fallsToGlobal(query) ? generation.tree.options.get(name) : undefined;
}

/** The value as the option's type reads it; an option that is not set has its default. */
export function effectiveValue(schema: Schema, assigned: Assignment | undefined, scope: string, name: string): unknown {
  if (assigned) return assigned.values[0];
  const entry = schema.option(scope, name);
  const [declared] = entry?.declared ?? [];
  return declared ? (declared.initials.get(scope) ?? declared.initial) : entry?.catalogued;
}

/** The texts of an array, as written; none when it is not set. */
export function textsOf(assigned: Assignment | undefined): readonly string[] {
  return assigned === undefined || assigned.value.kind === 'dictionary' ? [] : texts(assigned.value, 'an array');
}

/** A stanza of the tree, and the stanzas around it, outermost first. */
export interface Standing {
  readonly stanza: Stanza;
  readonly inside: readonly Stanza[];
}

/** Every stanza, the root first. */
export function* stanzasOf(stanza: Stanza, inside: readonly Stanza[] = []): Iterable<Standing> {
  yield { stanza, inside };
  const around = [...inside, stanza];
  for (const ofType of stanza.children.values()) for (const child of ofType.values()) yield* stanzasOf(child, around);
}

/** What a stanza of the sending side says about an option, with what stands behind it; a regex stanza speaks for itself first. */
export function sendingValue(generation: CompiledGeneration, at: Standing, name: string): Assignment | undefined {
  const own = at.stanza.options.get(name);
  if (own) return own;
  const named = (type: string): string | undefined =>
    [...at.inside, at.stanza].find((each) => each.type === type)?.instance;
  const group = named('binding_group');
  const binding = named('binding') ?? (group === undefined ? 'default' : '');
  const domain = at.stanza.type === 'domain' && at.stanza.pattern === undefined ? at.stanza.instance : undefined;
  return effective(
    generation,
    { kind: 'sending', group: group ?? generation.groupOf(bindingName(binding)), binding, domain },
    name,
  );
}
