import type { Configuration } from '../config/index.ts';
import type { Events } from '../events/index.ts';
import {
  Acceptances,
  ApiStore,
  apiStoreFile,
  RecipientLists,
  StoredTemplates,
  Suppressions,
  servesHttp,
  Transmissions,
} from '../generation/index.ts';
import type { Ids } from '../message/index.ts';
import type { Queues } from '../queue/index.ts';
import type { Reception } from '../reception/index.ts';
import type { Spool } from '../spool/index.ts';
import { templates as makeTemplates, type Templates } from '../templates/index.ts';
import type { World } from '../world/index.ts';
import { version } from './version.ts';

export interface MailingParts {
  readonly world: World;
  readonly events: Events;
  readonly configuration: Configuration;
  readonly ids: Ids;
  readonly spool: Spool;
  readonly queues: Queues;
  readonly reception: Pick<Reception, 'inject'>;
  readonly memory: { readonly exceeded: boolean };
  readonly hostName: () => string;
}

/** What turns orders into mail, and what it looks up for that. */
export interface Mailing extends Disposable {
  readonly language: Templates;
  readonly store: ApiStore;
  readonly templates: StoredTemplates;
  readonly suppressions: Suppressions;
  readonly acceptances: Acceptances;
  readonly lists: RecipientLists;
  readonly transmissions: Transmissions;
  readonly turn: () => Promise<void>;
}

export async function mailing({
  world,
  events,
  configuration,
  ids,
  spool,
  queues,
  reception,
  memory,
  hostName,
}: MailingParts): Promise<Mailing> {
  const { clock, disk, keyValues } = world;
  const { current } = configuration;
  const store = new ApiStore({ clock, disk, keyValues, events, path: current.global.get(apiStoreFile) });
  const language = makeTemplates(() => clock.now());
  const turn = (): Promise<void> => new Promise((resolve) => clock.defer(resolve));
  const suppressions = new Suppressions(store);
  const acceptances = new Acceptances({ clock, store });
  const lists = new RecipientLists({ store, clock, turn });
  const transmissions = new Transmissions({
    clock,
    events,
    ids,
    spool,
    reception,
    suppressions,
    acceptances,
    store,
    queues,
    templates: language,
    current: () => configuration.current,
    hostName,
    product: `impetus ${version}`,
    turn,
    full: () => (memory.exceeded ? 'memory_hwm is reached' : spool.statistics.full ? 'the spool is full' : undefined),
  });
  // A server that nobody sends mail to by HTTP has no such file.
  if (servesHttp(current)) await store.start();
  const subscription = configuration.onCommit((next) => {
    if (servesHttp(next)) void store.start();
  });
  return {
    language,
    store,
    templates: new StoredTemplates(store),
    suppressions,
    acceptances,
    lists,
    transmissions,
    turn,
    [Symbol.dispose]() {
      subscription[Symbol.dispose]();
      store[Symbol.dispose]();
    },
  };
}
