import { chainOf, fallsToGlobal, type Query } from '../fallback/chain.ts';
import { type Compiled, Compiler } from '../fallback/compile.ts';
import type { ListenerType } from '../live/generation.ts';
import { BUILT_IN } from '../schema/declare.ts';
import { emptyStanza, ROOT_STEP, type Stanza, type Step, withStanza } from '../tree/stanza.ts';

/** Who may ask for a value. */
export const FALLBACK_KINDS = [
  'global',
  'sending',
  'host',
  'receiving',
  'pathway',
  'stanza',
] as const satisfies readonly Query['kind'][];

/** Where a value is looked for, most specific first: `binding:domain > domain > Global > default`. */
export interface FallbackPath {
  /** For whom. */
  readonly asked: (typeof FALLBACK_KINDS)[number];
  /** Types of the stanzas that may set it, joined with colons from the outermost; then Global and default. */
  readonly steps: readonly string[];
}

/**
 * The order in which the scopes of an option are asked. It is read off the rules themselves: they walk a sample in which
 * every stanza is there, and what they visit is told.
 */
export class FallbackWords {
  readonly #root: Compiled;

  constructor() {
    const tree = sample();
    this.#root = new Compiler([], tree).compile(tree);
  }

  /** @param scopes in which the option may stand */
  paths(scopes: readonly string[]): readonly FallbackPath[] {
    const may = new Set(scopes);
    if (may.has('*')) return [];
    const paths: FallbackPath[] = [];
    const add = (query: Query): void => {
      const steps = this.#steps(query, may);
      if (steps.length === 0) return;
      if (fallsToGlobal(query) && may.has('global')) steps.push('Global');
      paths.push({ asked: query.kind, steps: [...steps, 'default'] });
    };
    if (['binding_group', 'binding', 'domain'].some((scope) => may.has(scope)))
      add({ kind: 'sending', group: SAMPLE, binding: SAMPLE, domain: SAMPLE });
    if (may.has('host')) add({ kind: 'host', group: SAMPLE, binding: SAMPLE, host: SAMPLE });
    const named = LISTENERS.filter((listener) => may.has(listener));
    if (named.length === 0 && (may.has('listen') || may.has('peer'))) named.push('esmtp_listener');
    for (const listener of named) add(receiving(listener));
    if (!paths.some(({ asked }) => asked === 'receiving') && (may.has('pathway') || may.has('pathway_group')))
      add({ kind: 'pathway', group: SAMPLE, pathway: SAMPLE });
    for (const scope of scopes.filter((each) => !SAMPLED.has(each)))
      paths.push({ asked: 'stanza', steps: [scope === '*module' ? 'module' : scope, 'default'] });
    if (paths.length === 0 && may.has('global')) paths.push({ asked: 'global', steps: ['Global', 'default'] });
    return paths;
  }

  #steps(query: Query, may: ReadonlySet<string>): string[] {
    return chainOf(this.#root, query)
      .filter(({ stanza }) => may.has(stanza.type))
      .map(({ stanza }) => typesOf(stanza));
  }
}

const SAMPLE = 'sample';
const ENDPOINT = '127.0.0.1:25';
const CLIENT = '127.0.0.1';
const LISTENERS: readonly ListenerType[] = ['esmtp_listener', 'control_listener', 'ecstream_listener', 'http_listener'];
const SAMPLED: ReadonlySet<string> = new Set([
  'global',
  'binding_group',
  'binding',
  'domain',
  'host',
  'pathway_group',
  'pathway',
  'listen',
  'peer',
  ...LISTENERS,
]);

const receiving = (listener: ListenerType): Query => ({
  kind: 'receiving',
  listener,
  endpoint: ENDPOINT,
  client: CLIENT,
  pathway: SAMPLE,
});

/** Every stanza that takes part in a fallback, once in each place where it may stand. */
function sample(): Stanza {
  let root = emptyStanza(undefined, ROOT_STEP, BUILT_IN);
  const add = (...types: readonly string[]): void => {
    const steps = types.map(stepOf);
    let at = root;
    for (const [index, step] of steps.entries()) {
      at = at.children.get(step.type)?.get(step.instance) ?? emptyStanza(at, step, BUILT_IN);
      if (index === steps.length - 1) root = withStanza(root, steps, at);
    }
  };
  for (const type of ['domain', 'host']) {
    add(type);
    add('binding', type);
    add('binding_group', type);
    add('binding_group', 'binding', type);
  }
  add('pathway');
  add('pathway_group', 'pathway');
  for (const listener of LISTENERS) {
    add(listener, 'peer');
    add(listener, 'listen', 'peer');
  }
  return root;
}

function stepOf(type: string): Step {
  const instance = type.endsWith('_listener')
    ? ''
    : type === 'listen'
      ? ENDPOINT
      : type === 'peer'
        ? `${CLIENT}/32`
        : SAMPLE;
  return { type, instance, written: instance === '' ? undefined : instance, pattern: undefined };
}

/** The types of a stanza of the sample, from the outermost: its key without the instances. */
function typesOf(stanza: Stanza): string {
  const parts = stanza.key.split(/(?<!\\):/);
  return parts.filter((_, index) => index % 2 === 0).join(':');
}
