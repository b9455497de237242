import {
  AuthDsScheme,
  authDsErrors,
  authDsWarnings,
  authorizationParameters,
  keyWarnings,
  mechanismOptions,
  type NamedScheme,
  schemePlans,
} from '../auth/index.ts';
import { ConfigErrors, type Generation, type Place } from '../config/index.ts';
import {
  type DatasourceCommand,
  Datasources,
  datasourceCommands,
  datasourceErrors,
  datasourceWarnings,
  unreachable,
} from '../datasource/index.ts';
import type { Events } from '../events/index.ts';
import type { World } from '../world/index.ts';

/** The datasources of the house, and the schemes of auth_ds that ask them. */
export interface HouseDatasources extends Disposable {
  readonly datasources: Datasources;
  readonly commands: readonly DatasourceCommand[];
  scheme(name: string): NamedScheme | undefined;
  /** The generation is live. */
  take(generation: Generation): void;
  /** Tries every store once, and tells the paniclog of those that cannot be used now. */
  tellUnreachable(generation: Generation): Promise<void>;
}

export function houseDatasources({ stores, clock, chance }: World, events: Pick<Events, 'diagnose'>): HouseDatasources {
  const datasources = new Datasources({ stores, clock, chance, events });
  let schemes: ReadonlyMap<string, NamedScheme> = new Map();
  return {
    datasources,
    commands: datasourceCommands(datasources),
    scheme: (name) => schemes.get(name),
    take(generation) {
      datasources.adjust(generation);
      schemes = new Map(
        [...schemePlans(generation)].map(([name, plan]) => [name, new AuthDsScheme(plan, datasources, events)]),
      );
      for (const { text } of datasourceNotes(generation)) events.diagnose('WARNING', 'ds_core', text);
    },
    async tellUnreachable(generation) {
      for (const { text } of await unreachable(generation, stores)) events.diagnose('WARNING', 'ds_core', text);
    },
    [Symbol.dispose]: () => datasources[Symbol.dispose](),
  };
}

/**
 * Whether a configuration's datasources and schemes can work at all: drivers are installed, names lead somewhere.
 *
 * @throws ConfigErrors
 */
export async function checkDatasources({ stores }: Pick<World, 'stores'>, generation: Generation): Promise<void> {
  const errors = [...(await datasourceErrors(generation, stores)), ...authDsErrors(generation, mechanismOptions)];
  if (errors.length > 0) throw new ConfigErrors(errors);
}

interface Note {
  readonly place: Place;
  readonly text: string;
}

/** What an operator should know of them, and stops nothing. */
export const datasourceNotes = (generation: Generation): readonly Note[] => [
  ...datasourceWarnings(generation),
  ...authDsWarnings(generation, mechanismOptions, authorizationParameters),
  ...keyWarnings(generation, mechanismOptions),
];

/** Stores that do not answer now. */
export const unreachableStores = (
  { stores }: Pick<World, 'stores'>,
  generation: Generation,
): Promise<readonly Note[]> => unreachable(generation, stores);
