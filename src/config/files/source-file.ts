/** Why the console changes nothing in a file (spec: repetition, merging, includes). */
export type ReadOnlyReason =
  | 'reached by readonly_include'
  | 'included more than once'
  | 'loaded over http'
  | 'a kept copy of a document of the web'
  | 'this process may not write it';

/** A file that was read. */
export interface SourceFile {
  /** Its path, or the URI of a document that came from elsewhere. */
  readonly path: string;
  readonly role: 'main' | 'included' | 'local changes';
  /** Undefined: an online change may be stored in it. */
  readonly readOnly: ReadOnlyReason | undefined;
  /** Of its bytes, SHA-256 in hex; undefined for a file of local changes that is not there yet. */
  readonly hash: string | undefined;
}
