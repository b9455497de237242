import { DOCUMENT_VERSION } from './document.ts';
import { FALLBACK_KINDS } from './fallback-words.ts';
import { KINDS } from './kinds.ts';

type Json = string | number | boolean | readonly Json[] | { readonly [key: string]: Json };

const text = { type: 'string' } as const;
const texts = { type: 'array', items: text } as const;
const count = { type: 'integer', minimum: 0 } as const;
const flag = { type: 'boolean' } as const;
const status = { enum: ['implemented', 'in part', 'not implemented yet'] } as const;
const key = { type: 'string', pattern: '^[a-z0-9_*-]+$' } as const;

/** An object with these fields and no other; a field whose name ends in `?` may be left out. */
function object(fields: Readonly<Record<string, Json>>): Json {
  const entries = Object.entries(fields).map(([name, schema]) => ({
    name: name.replace(/\?$/, ''),
    optional: name.endsWith('?'),
    schema,
  }));
  return {
    type: 'object',
    properties: Object.fromEntries(entries.map(({ name, schema }) => [name, schema])),
    required: entries.filter(({ optional }) => !optional).map(({ name }) => name),
    additionalProperties: false,
  };
}

const said = (description: string, schema: { readonly [name: string]: Json }): Json => ({ description, ...schema });
const list = (of: string): Json => ({ type: 'array', items: { $ref: `#/$defs/${of}` } });

const WITH_PARTS = ['integer', 'duration', 'enumeration', 'array', 'either'];
const plainKinds = Object.keys(KINDS).filter((kind) => !WITH_PARTS.includes(kind));

/** JSON Schema (draft 2020-12) of the document that `impetus schema` writes. */
export const documentSchema: Json = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Impetus configuration schema',
  description: 'Every option, scope and module that a configuration file may use, and which of them are implemented.',
  ...(object({
    version: said('of this form', { const: DOCUMENT_VERSION }),
    product: object({ name: text, version: text }),
    kinds: object(Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, { $ref: '#/$defs/kind' }]))),
    options: list('option'),
    scopes: list('scope'),
    modules: list('module'),
  }) as { readonly [name: string]: Json }),
  $defs: {
    kind: object({
      title: text,
      spellings: said('values as they may stand in a file; examples where there are endlessly many', texts),
      'unit?': said('what a number without a unit counts', text),
    }),
    type: {
      oneOf: [
        object({ kind: { enum: plainKinds } }),
        object({ kind: { const: 'integer' }, 'least?': { type: 'integer' }, 'most?': { type: 'integer' } }),
        object({ kind: { const: 'duration' }, unit: { enum: ['seconds', 'milliseconds'] } }),
        object({
          kind: { const: 'enumeration' },
          words: texts,
          'aliases?': said('words that mean another one', { type: 'object', additionalProperties: text }),
        }),
        object({ kind: { const: 'array' }, items: { $ref: '#/$defs/type' } }),
        object({ kind: { const: 'either' }, of: list('type') }),
      ],
    },
    value: { oneOf: [text, { type: 'number' }, flag, texts] },
    option: object({
      name: said('as displayed', text),
      key: said('as compared: lower case', key),
      summary: text,
      type: { $ref: '#/$defs/type' },
      typeTitle: text,
      spellings: texts,
      'unit?': said('what a number without a unit counts', text),
      'default?': said('built in; left out when there is none', { $ref: '#/$defs/value' }),
      'defaultByScope?': said('defaults that hold in one kind of scope only', {
        type: 'object',
        additionalProperties: { $ref: '#/$defs/value' },
      }),
      scopes: said("where it may stand; * is everywhere, *module every module's stanza", {
        type: 'array',
        items: key,
        minItems: 1,
      }),
      dynamic: said('false: a change is used after the next start', flag),
      status,
      implementedIn: said('scopes in which it is read', texts),
      valuesNotImplemented: said('parts of its values that change nothing yet', texts),
      fallback: said('where a value is looked for, most specific first', {
        type: 'array',
        items: object({ asked: { enum: FALLBACK_KINDS }, steps: texts }),
      }),
      'module?': text,
      'refersTo?': said('the kind of stanza that its value names', key),
      'manualPage?': said("a page of Momentum's manual, below its root", text),
      inMomentum: flag,
      example: text,
    }),
    scope: object({
      name: text,
      key,
      summary: text,
      instance: said('whether it is written with a name; optional: without one it has its own name', {
        enum: ['none', 'optional', 'required'],
      }),
      parents: texts,
      children: texts,
      options: said('keys of the options that may stand in it', texts),
      status,
      implementedIn: said('parents in which it is read', texts),
      'module?': text,
      'manualPage?': text,
      example: text,
    }),
    module: object({
      name: text,
      summary: text,
      tier: said('never: its stanza is accepted, nothing else is planned; empty: Momentum does not have it', {
        enum: ['must', 'nice', 'never', ''],
      }),
      status,
      optionsImplemented: count,
      optionsAll: count,
      options: texts,
      stanza: said('false: a facility of the core, without a stanza', flag),
      'manualPage?': text,
    }),
  },
};
