import { bindingName, type Domain, millis } from '../../src/base/index.ts';
import type { Generation, Option, View } from '../../src/config/index.ts';

/** Values by option name, at the top level or for one domain or MX host. */
export interface Values {
  readonly global?: Readonly<Record<string, unknown>>;
  readonly domains?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly hosts?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** A generation for tests of rooms that only read views: no files, no regexes. */
export function generationOf(values: Values, number = 1): Generation {
  const view = (
    key: string,
    own: Readonly<Record<string, unknown>> | undefined,
    falls: boolean,
    initial: Readonly<Record<string, unknown>> = {},
  ): View => {
    const global = falls ? (values.global ?? {}) : {};
    return {
      generation: number,
      get<T>(option: Option<T>): T {
        if (own !== undefined && option.name in own) return own[option.name] as T;
        if (option.name in global) return global[option.name] as T;
        return (option.name in initial ? initial[option.name] : option.initial) as T;
      },
      owner: (option) => ({
        key: own !== undefined && option.name in own ? key : option.name in global ? 'global' : 'default',
        place: undefined,
      }),
      sameIn: (next) => next.number === number,
    };
  };
  const views = new Map<string, View>();
  const once = (key: string, make: () => View): View => {
    const known = views.get(key) ?? make();
    views.set(key, known);
    return known;
  };
  return {
    number,
    date: millis(0),
    hash: String(number),
    global: once('global', () => view('global', undefined, true)),
    sending: (_group, _binding, domain) =>
      once(`domain:${domain}`, () => view(`domain:${domain}`, values.domains?.[domain], true)),
    host: (_group, _binding, host) =>
      once(`host:${host}`, () => view(`host:${host}`, values.hosts?.[host], false, { max_outbound_connections: -1 })),
    receiving: () => once('global', () => view('global', undefined, true)),
    receivingOwners: () => [],
    listens: () => [],
    settings: () => [],
    groupOf: () => 'default',
    pathwayGroupOf: () => undefined,
    bindings: () => [{ group: 'default', name: bindingName('default') }],
    instances: () => [],
    stanza: () => once('global', () => view('global', undefined, true)),
  };
}

export const domainOf = (name: string): Domain => name as Domain;
