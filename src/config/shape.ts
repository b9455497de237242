/** What a value of an option looks like, for programs: editors, `impetus schema`, the manual on the console. */
export type ValueShape =
  | { readonly kind: PlainKind }
  /** Both ends included; without them what the machine holds. */
  | { readonly kind: 'integer'; readonly least?: number; readonly most?: number }
  /** What a number without a unit counts. */
  | { readonly kind: 'duration'; readonly unit: 'seconds' | 'milliseconds' }
  | {
      readonly kind: 'enumeration';
      readonly words: readonly string[];
      /** Words that mean another one. */
      readonly aliases?: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'array'; readonly items: ValueShape }
  | { readonly kind: 'either'; readonly of: readonly ValueShape[] };

/** Kinds that have no parts. What each accepts is told in manual/kinds.ts. */
export type PlainKind =
  | 'boolean'
  | 'number'
  | 'percent'
  | 'port'
  | 'size'
  | 'mode'
  | 'throttle'
  | 'range'
  | 'text'
  | 'text_list'
  | 'path'
  | 'regex'
  | 'endpoint'
  | 'socket_address'
  | 'host'
  | 'ip'
  | 'domain'
  | 'email'
  | 'cidrs'
  | 'domain_list'
  | 'dictionary'
  | 'reference'
  | 'any';
