import { CidrTable, parseCidr, parseDomain } from '../../base/index.ts';
import { type RawValue, ValueError, type ValueType } from '../option.ts';
import { concealed } from './conceal.ts';
import { texts } from './scalar.ts';

/** The texts of an array; `( )` is an empty one, which is not the same as unset. */
export const array: ValueType<readonly string[]> = {
  title: 'an array',
  shape: { kind: 'array', items: { kind: 'text' } },
  read(raw) {
    return texts(raw, array.title);
  },
};

/** An array of values of one type. */
export function arrayOf<T>(type: ValueType<T>): ValueType<readonly T[]> {
  const title = `an array, each item ${type.title}`;
  return {
    title,
    shape: { kind: 'array', items: type.shape ?? { kind: 'text' } },
    read(raw, host) {
      const items = raw.kind === 'array' ? raw.items : [{ text: texts(raw, title)[0] ?? '', at: raw.at }];
      return items.map((item) => {
        try {
          return type.read({ kind: 'text', text: item.text, quoted: true, at: item.at }, host);
        } catch (error) {
          if (error instanceof ValueError)
            throw new ValueError(`${error.message}; '${concealed(item.text)}' is not`, { cause: error });
          throw error;
        }
      });
    },
  };
}

/** `( low high )`, as the adaptive bounds are written. */
export const range: ValueType<{ readonly low: number; readonly high: number }> = {
  title: 'a range ( low high )',
  shape: { kind: 'range' },
  read(raw) {
    const [low, high, ...more] = texts(raw, range.title).map((item) =>
      /^-?[0-9]+(?:\.[0-9]+)?$/.test(item) ? Number(item) : Number.NaN,
    );
    if (low === undefined || high === undefined || more.length > 0 || !(low <= high)) throw new ValueError(range.title);
    return { low, high };
  },
};

export type DictionaryValue = ReadonlyMap<string, string | readonly string[]>;

/** Keys in lower case: parameters are compared without regard to case. The last of equal keys wins. */
export const dictionary: ValueType<DictionaryValue> = dictionaryOf((key) => key.toLowerCase());

/** Keys as written: context keys, and the maps from one word to another. */
export const exactDictionary: ValueType<DictionaryValue> = dictionaryOf((key) => key);

/** Blocks of addresses; a host name is refused. `matches(ip)` gives the blocks that hold an address, longest first. */
export const cidrs: ValueType<CidrTable<string>> = {
  title: 'a list of addresses and blocks as 10.0.0.0/8',
  shape: { kind: 'cidrs' },
  read(raw) {
    const table = new CidrTable<string>();
    for (const item of texts(raw, cidrs.title)) {
      const cidr = parseCidr(item);
      if (!cidr) throw new ValueError(`${cidrs.title}; '${item}' is none`);
      table.add(cidr, item);
    }
    return table;
  },
};

/** Domains that are listed by name, or by a left glob. */
export interface DomainList {
  readonly patterns: readonly string[];
  /** @param domain lower case, as `parseDomain` gives it */
  matches(domain: string): boolean;
}

/** Exact names and left globs: `*.a.b` is any name below a.b, `*a.b` also a.b and xa.b, `*` everything. */
export const domainList: ValueType<DomainList> = {
  title: 'a list of domains, a * allowed at the beginning of each',
  shape: { kind: 'domain_list' },
  read(raw) {
    return new Domains(texts(raw, domainList.title).map(pattern));
  },
};

class Domains implements DomainList {
  readonly patterns: readonly string[];
  readonly #exact = new Set<string>();
  /** Suffixes that begin with a dot: one look-up for each dot of the name, however long the list. */
  readonly #below = new Set<string>();
  readonly #ends: string[] = [];

  constructor(patterns: readonly string[]) {
    this.patterns = patterns;
    for (const each of patterns) {
      if (!each.startsWith('*')) this.#exact.add(each);
      else if (each.startsWith('*.')) this.#below.add(each.slice(1));
      else this.#ends.push(each.slice(1));
    }
  }

  matches(domain: string): boolean {
    if (this.#exact.has(domain)) return true;
    if (this.#below.size > 0) {
      for (let dot = domain.indexOf('.', 1); dot !== -1; dot = domain.indexOf('.', dot + 1)) {
        if (this.#below.has(domain.slice(dot))) return true;
      }
    }
    for (const end of this.#ends) if (domain.endsWith(end)) return true;
    return false;
  }
}

function pattern(item: string): string {
  if (!item.startsWith('*')) {
    const domain = parseDomain(item);
    if (domain === undefined) throw new ValueError(`${domainList.title}; '${item}' is no domain`);
    return domain;
  }
  const rest = item.slice(1);
  const dotted = rest.startsWith('.');
  const domain = parseDomain(dotted ? rest.slice(1) : rest);
  if (rest !== '' && domain === undefined) throw new ValueError(`${domainList.title}; '${item}' is none`);
  return rest === '' ? '*' : `*${dotted ? '.' : ''}${domain}`;
}

function dictionaryOf(canonical: (key: string) => string): ValueType<DictionaryValue> {
  const title = 'a dictionary [ key = value ]';
  return {
    title,
    shape: { kind: 'dictionary' },
    read(raw: RawValue) {
      if (raw.kind !== 'dictionary') throw new ValueError(title);
      return new Map(
        raw.entries.map((entry) => {
          const { value } = entry;
          return [canonical(entry.key), value.kind === 'text' ? value.text : texts(value, title)];
        }),
      );
    },
  };
}
