import { parseAddress, parseDomain } from '../../base/index.ts';
import { type RawValue, ValueError, type ValueType } from '../option.ts';
import type { PlainKind } from '../shape.ts';
import { duration, milliseconds } from '../values/duration.ts';
import { scalar } from '../values/scalar.ts';
import { array, arrayOf, cidrs, dictionary, domainList, range } from '../values/value-lists.ts';
import {
  bigInteger,
  boolean,
  enumeration,
  float,
  mode,
  path,
  percent,
  port,
  regex,
  size,
  text,
  throttle,
} from '../values/value-types.ts';
import type { OptionRow } from './catalogue.ts';

/**
 * The type of an option that no code reads yet: its values are checked all the same, so that a configuration that is
 * accepted today is not refused when the option is built.
 */
export function typeOfRow(row: OptionRow): ValueType<unknown> {
  const words = row.enum ?? [];
  switch (row.value) {
    case 'enum':
      return withAliases(enumeration(...words), row.aliases ?? {});
    case 'enum_array':
    case 'debug_mask':
      return arrayOf(enumeration(...words));
    case 'integer_or_enum':
      return either(bigInteger, enumeration(...words));
    default:
      return PLAIN.get(row.value) ?? any;
  }
}

/** A value of any kind, for options whose type the manual does not give. */
export const any: ValueType<RawValue> = { title: 'any value', shape: { kind: 'any' }, read: (raw) => raw };

const domain: ValueType<string> = checked('a domain name', 'domain', parseDomain);
const ip: ValueType<string> = checked('an IP address', 'ip', parseAddress);

const PLAIN: ReadonlyMap<string, ValueType<unknown>> = new Map<string, ValueType<unknown>>([
  ['address_or_host', { ...text, shape: { kind: 'host' } }],
  ['array', array],
  ['boolean', boolean],
  ['cidr_list', cidrs],
  ['dictionary', dictionary],
  ['domain', domain],
  ['domain_list', domainList],
  ['duration_ms', milliseconds],
  ['duration_s', duration],
  ['duration_unit_string', duration],
  ['email', { ...text, shape: { kind: 'email' } }],
  ['float', float],
  ['integer', bigInteger],
  ['ip', ip],
  ['list_in_string', { ...text, shape: { kind: 'text_list' } }],
  ['mode', mode],
  ['path', path],
  ['percent', percent],
  ['port', port],
  ['range_pair', range],
  ['regex', regex],
  ['scope_ref', { ...text, shape: { kind: 'reference' } }],
  ['size_bytes', size],
  ['sockaddr', { ...text, shape: { kind: 'socket_address' } }],
  ['string', text],
  ['throttle', throttle],
]);

function checked(title: string, kind: PlainKind, parse: (text: string) => string | undefined): ValueType<string> {
  return {
    title,
    shape: { kind },
    read(raw) {
      const value = parse(scalar(raw, title));
      if (value === undefined) throw new ValueError(title);
      return value;
    },
  };
}

function either(one: ValueType<unknown>, other: ValueType<unknown>): ValueType<unknown> {
  const title = `${one.title} or ${other.title}`;
  return {
    title,
    shape: { kind: 'either', of: [one, other].map((each) => each.shape ?? { kind: 'any' }) },
    read(raw, host) {
      for (const type of [one, other]) {
        try {
          return type.read(raw, host);
        } catch (error) {
          if (!(error instanceof ValueError)) throw error;
        }
      }
      throw new ValueError(title);
    },
  };
}

function withAliases(type: ValueType<string>, aliases: Readonly<Record<string, string>>): ValueType<string> {
  const meant = new Map(Object.entries(aliases));
  const { shape } = type;
  return {
    title: type.title,
    ...(shape?.kind === 'enumeration' && meant.size > 0 ? { shape: { ...shape, aliases } } : shape ? { shape } : {}),
    read: (raw) => {
      const word = type.read(raw);
      return meant.get(word) ?? word;
    },
  };
}
