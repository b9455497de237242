import type { PlainKind, ValueShape } from '../shape.ts';
import { BOOLEANS } from '../values/value-types.ts';

type Kind = ValueShape['kind'];

/** How values of one kind are written. */
export interface KindWords {
  readonly title: string;
  /** Values that are accepted, each as it may stand in a file; a test reads every one. */
  readonly spellings: readonly string[];
  /** What a number without a unit counts. */
  readonly unit?: string;
}

/** Every kind of value, as the manual and the schema tell it. */
export const KINDS: Readonly<Record<Kind, KindWords>> = {
  boolean: { title: 'true or false', spellings: [...BOOLEANS.keys()] },
  integer: { title: 'a whole number, a minus allowed', spellings: ['0', '32', '-1'] },
  number: { title: 'a decimal number', spellings: ['2', '0.5', '-1.25'] },
  percent: { title: 'a percentage from 0 to 100', spellings: ['25', '12.5', '25%'], unit: 'percent' },
  port: { title: 'a port from 1 to 65535', spellings: ['25', '2525'] },
  size: { title: 'a size; units count by 1024', spellings: ['65536', '64k', '10M', '1G', '2T'], unit: 'bytes' },
  duration: { title: 'a duration', spellings: ['90', '90s', '5m', '2h', '1d', '"2 hours"'] },
  mode: { title: 'permission bits, octal', spellings: ['0640', '640'] },
  throttle: {
    title: 'events, or events / seconds; 0 is no limit',
    spellings: ['100', '100/60', '"100 / 60"', '0'],
    unit: 'events per second, or per the seconds given',
  },
  range: { title: 'the lowest and the highest value', spellings: ['( 5 100 )', '( 0.5 2 )'] },
  text: { title: 'a text; quotes where it holds blanks', spellings: ['word', '"more words"'] },
  text_list: {
    title: 'several texts in one, with blanks or commas between them',
    spellings: ['"one two"', '"one, two"'],
  },
  path: { title: 'the path of a file', spellings: ['/var/log/name', '"/path with blanks"'] },
  regex: { title: 'a regular expression', spellings: ['"^a.*b$"', '"(?i)abc"'] },
  endpoint: {
    title: 'an address with a port, or the path of a Unix socket',
    spellings: ['127.0.0.1:25', '"[::1]:25"', '/run/name'],
  },
  socket_address: {
    title: 'a host or an address with a port, or the path of a Unix socket',
    spellings: ['127.0.0.1:783', '/run/name'],
  },
  host: { title: 'a host name or an IP address', spellings: ['mx.example.com', '192.0.2.1'] },
  ip: { title: 'an IP address', spellings: ['192.0.2.1', '2001:db8::1'] },
  domain: { title: 'a domain', spellings: ['example.com'] },
  email: { title: 'a mail address', spellings: ['user@example.com'] },
  cidrs: { title: 'addresses and blocks', spellings: ['( 127.0.0.1 10.0.0.0/8 2001:db8::/32 )', '10.0.0.0/8', '( )'] },
  domain_list: {
    title: 'domains, a * allowed at the beginning of each',
    spellings: ['( example.com *.example.net *.com )', 'example.com', '( )'],
  },
  dictionary: { title: 'keys with values', spellings: ['[ key = value other = "more words" ]', '[ ]'] },
  reference: { title: 'the name of another stanza', spellings: ['name', '"name"'] },
  any: {
    title: 'any value: the manual gives no type',
    spellings: ['word', '"more words"', '( a b )', '[ key = value ]'],
  },
  enumeration: { title: 'one of some words, in any case', spellings: [] },
  array: { title: 'a list; one value may stand without brackets', spellings: ['( one two )', 'one', '( )'] },
  either: { title: 'one of several kinds of value', spellings: [] },
};

/** Spellings of one value, examples where there are endlessly many. */
export function spellingsOf(shape: ValueShape): readonly string[] {
  switch (shape.kind) {
    case 'enumeration':
      return [...new Set([...shape.words, ...Object.keys(shape.aliases ?? {})])];
    case 'either':
      return shape.of.flatMap(spellingsOf);
    case 'array': {
      const items = spellingsOf(shape.items);
      return shape.items.kind === 'enumeration'
        ? [`( ${items.slice(0, 2).map(word).join(' ')} )`, ...items.map(word), '( )']
        : KINDS.array.spellings;
    }
    case 'duration':
      return shape.unit === 'milliseconds' ? ['250', '250ms', '5s', '2m'] : KINDS.duration.spellings;
    case 'integer':
      return shape.least !== undefined && shape.most !== undefined
        ? [String(shape.least), String(shape.most)]
        : KINDS.integer.spellings;
    default:
      return KINDS[shape.kind].spellings;
  }
}

/** What a number without a unit counts, as far as the kind of value says it. */
export function unitOf(shape: ValueShape): string | undefined {
  if (shape.kind === 'duration') return shape.unit;
  if (shape.kind === 'either') return shape.of.map(unitOf).find((unit) => unit !== undefined);
  return KINDS[shape.kind].unit;
}

/** One line: `one of no, ifavailable, required`; `a list of: …`. */
export function shapeTitle(shape: ValueShape): string {
  switch (shape.kind) {
    case 'enumeration': {
      const aliases = Object.entries(shape.aliases ?? {}).filter(([from, to]) => from !== to);
      const meant = aliases.map(([from, to]) => `${from} means ${to}`).join(', ');
      return `one of ${shape.words.join(', ')}${meant === '' ? '' : ` (${meant})`}`;
    }
    case 'array':
      return `a list, each item ${shapeTitle(shape.items)}`;
    case 'either':
      return shape.of.map(shapeTitle).join(', or ');
    case 'integer':
      return shape.least !== undefined && shape.most !== undefined
        ? `a whole number from ${shape.least} to ${shape.most}`
        : KINDS.integer.title;
    case 'duration':
      return `a duration in ${shape.unit}, or with a unit`;
    default:
      return KINDS[shape.kind satisfies PlainKind].title;
  }
}

/** A word of a list, in quotes where it needs them. */
const word = (text: string): string => (/[\s,"]/.test(text) ? `"${text}"` : text);
