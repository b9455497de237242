import { type Configuration, ownOption, path } from '../config/index.ts';
import type { Events } from '../events/index.ts';
import { StoredTemplates, Suppressions, Transmissions } from '../generation/index.ts';
import type { Ids } from '../message/index.ts';
import type { Reception } from '../reception/index.ts';
import type { Spool } from '../spool/index.ts';
import { templates as makeTemplates, type Templates } from '../templates/index.ts';
import type { KeyValues, World } from '../world/index.ts';
import { version } from './version.ts';

export const apiStoreFile = ownOption('api_store_file', path, {
  scopes: ['global'],
  initial: '/var/lib/impetus/api.db',
  dynamic: false,
  summary: 'file of stored templates and of the suppression list; made when it is first needed',
});

export interface MailingParts {
  readonly world: World;
  readonly events: Events;
  readonly configuration: Configuration;
  readonly ids: Ids;
  readonly spool: Spool;
  readonly reception: Pick<Reception, 'inject'>;
  readonly memory: { readonly exceeded: boolean };
  readonly hostName: () => string;
}

/** What turns orders into mail, and what it looks up for that. */
export interface Mailing extends Disposable {
  readonly language: Templates;
  readonly templates: StoredTemplates;
  readonly suppressions: Suppressions;
  readonly transmissions: Transmissions;
  readonly turn: () => Promise<void>;
}

export function mailing({
  world,
  events,
  configuration,
  ids,
  spool,
  reception,
  memory,
  hostName,
}: MailingParts): Mailing {
  const { clock, keyValues } = world;
  let open: KeyValues | undefined;
  // Opened when somebody needs it: a server that nobody sends mail to by HTTP has no such file.
  const store = (): KeyValues => (open ??= keyValues.open(configuration.current.global.get(apiStoreFile)));
  const language = makeTemplates(() => clock.now());
  const suppressions = new Suppressions(store);
  const turn = (): Promise<void> => new Promise((resolve) => clock.defer(resolve));
  const transmissions = new Transmissions({
    clock,
    events,
    ids,
    spool,
    reception,
    suppressions,
    templates: language,
    generation: () => configuration.current.number,
    hostName,
    product: `impetus ${version}`,
    turn,
    full: () => (memory.exceeded ? 'memory_hwm is reached' : spool.statistics.full ? 'the spool is full' : undefined),
  });
  return {
    language,
    templates: new StoredTemplates(store),
    suppressions,
    transmissions,
    turn,
    [Symbol.dispose]: () => open?.[Symbol.dispose](),
  };
}
