import type { ValueShape } from '../shape.ts';
import type { ModuleDescription, OptionDescription, ScopeDescription } from './descriptions.ts';
import { KINDS, type KindWords } from './kinds.ts';
import type { Manual } from './manual.ts';

/**
 * The version of the form of the document. A field that is added leaves it as it is; one that goes away, or means
 * something else, makes it the next.
 */
export const DOCUMENT_VERSION = 1;

/** All options, scopes and modules for programs, as `impetus schema` writes them. document-schema.ts describes it. */
export interface SchemaDocument {
  readonly version: number;
  /** Who wrote it, and its release. */
  readonly product: { readonly name: string; readonly version: string };
  readonly kinds: Readonly<Record<ValueShape['kind'], KindWords>>;
  readonly options: readonly OptionDescription[];
  readonly scopes: readonly ScopeDescription[];
  readonly modules: readonly ModuleDescription[];
}

export function schemaDocument(manual: Manual, product: SchemaDocument['product']): SchemaDocument {
  return {
    version: DOCUMENT_VERSION,
    product,
    kinds: KINDS,
    options: manual.allOptions(),
    scopes: manual.allScopes(),
    modules: manual.allModules(),
  };
}
