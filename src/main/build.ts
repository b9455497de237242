import { join } from 'node:path';
import { CredentialStores, GuessBrake, Tokens } from '../auth/index.ts';
import { bouncer, classify } from '../bounce/index.ts';
import type { Generation, LiveConfiguration } from '../config/index.ts';
import { consoleServer, consoleWarnings } from '../console/index.ts';
import { hostname, SmtpDelivery } from '../delivery/index.ts';
import {
  type Events,
  events as makeEvents,
  statistics as makeStatistics,
  recentDiagnostics,
  Sparing,
} from '../events/index.ts';
import { ApiKeyFile, ApiKeys, apiKeyFile } from '../http/index.ts';
import { listeners as makeListeners } from '../listener/index.ts';
import { idAllocator } from '../message/index.ts';
import { standardErrorLog } from '../modules/index.ts';
import { policy as makePolicy } from '../policy/index.ts';
import { QueueRegistry } from '../queue/index.ts';
import { Dedup, reception as makeReception } from '../reception/index.ts';
import { Shaping } from '../shaping/index.ts';
import { type OpenSpoolParts, openSpool, spoolbase, spoolSettings } from '../spool/index.ts';
import type { Process, World } from '../world/index.ts';
import { reloadBySignal, tellUnserved } from './configuration-words.ts';
import { consoleHouse } from './console-house.ts';
import { checkDatasources, houseDatasources } from './datasources.ts';
import { modules } from './declared.ts';
import { effects } from './effects.ts';
import { httpCredentials, sendingKeys } from './http-credentials.ts';
import { type HttpSide, httpSide } from './http-side.ts';
import { mailing as makeMailing } from './mailing.ts';
import { MemoryWatch } from './memory-watch.ts';
import { ModuleShelf, type ShelfChange } from './module-shelf.ts';
import { namesFor } from './names.ts';
import { pidfile, writePidFile } from './pid-file.ts';
import { recover } from './recover.ts';
import type { Server, Service } from './server.ts';
import { checkTlsOf, houseTls } from './tls.ts';
import { version } from './version.ts';

export interface BuildParts {
  readonly world: World;
  readonly process: Process;
  readonly configuration: LiveConfiguration;
  /** Called first of all: for whoever must hear every event, from the first to the last. */
  readonly observe?: (events: Events) => void;
  /** A listener that cannot be opened at the start is an error in the log, and the server starts without it. */
  readonly tolerateListeners?: boolean;
  /** What this run does without. */
  readonly skip?: readonly Service[];
  /** Sizes of the spool that tests make small, so that segments change and are compacted within seconds. */
  readonly spool?: Pick<OpenSpoolParts, 'segmentBytes' | 'compactionSettleMillis'>;
}

/**
 * The house, from the ground up: each room is made of the rooms below it, and closed in the opposite order.
 *
 * @throws ConfigErrors, ListenError, SpoolError; nothing stays open then
 */
export async function buildServer({
  world,
  process,
  configuration,
  observe,
  tolerateListeners = false,
  skip = [],
  spool: sizes,
}: BuildParts): Promise<Server> {
  const { clock, chance, network, disk, hashing } = world;
  const current = () => configuration.current;
  const hostName = (): string => current().global.get(hostname) ?? process.hostName;
  await using undo = new AsyncDisposableStack();

  const events = makeEvents(clock, () => current().number);
  observe?.(events);
  const recent = undo.adopt(recentDiagnostics(events), (each) => each[Symbol.dispose]());
  const statistics = undo.adopt(makeStatistics(events, clock), (each) => each[Symbol.dispose]());
  undo.use(configuration.onPatternTrouble((text) => events.diagnose('WARNING', 'config', text)));
  const complain = (text: string): void => process.complain(`${text}\n`);

  const policy = makePolicy(undo.use(new Sparing(events, clock)));
  const shelf = undo.use(new ModuleShelf(modules, { clock, disk, events, policy, complain }));
  shelf.prepare(current()).take();
  const logs = (): boolean => shelf.running.some((each) => each.name === 'ec_logger');
  const instead = standardErrorLog(events, (text) => {
    if (!logs()) complain(text);
  });
  undo.adopt(instead, (each) => each[Symbol.dispose]());

  const tls = undo.use(houseTls(world, events));
  await checkTlsOf(current(), tls.shelf);

  await checkDatasources(world, current());
  const sources = undo.use(houseDatasources(world, events));
  sources.take(current());

  const names = undo.adopt(await namesFor(world, current().global), (each) => each.close());
  // Message ids stay unique over restarts within one second: each start draws its instance.
  const ids = idAllocator({ instance: chance.below(65_536) });
  const spoolDirectory = current().global.get(spoolbase);
  const spool = undo.use(
    await openSpool({
      disk,
      clock,
      chance,
      events,
      directory: spoolDirectory,
      settings: spoolSettings(current().global),
      ...sizes,
    }),
  );

  // Behind the lock of the spool: a second server must not put its number there.
  undo.use(await writePidFile(disk, events, current().global.get(pidfile), process.id));

  const shaping = new Shaping(current);
  const undertaker = bouncer({
    clock,
    chance,
    ids,
    spool,
    events,
    current,
    hostname: hostName,
    enqueue: (message) => queues.enqueue(message),
  });
  const queues: QueueRegistry = new QueueRegistry({ clock, spool, events, shaping, current, undertaker, classify });
  const delivery = new SmtpDelivery({
    clock,
    chance,
    network,
    names,
    spool,
    events,
    ids,
    queues,
    current,
    tls: tls.shelf,
    hostName: process.hostName,
  });

  const stores = new CredentialStores({ disk, clock, chance, hashing, events, schemes: sources.scheme });
  const brake = new GuessBrake();
  const keys = undo.use(
    new ApiKeys({
      clock,
      events,
      file: () => new ApiKeyFile({ disk, clock, chance, path: current().global.get(apiKeyFile) }),
    }),
  );
  const pressure = undo.use(
    new MemoryWatch({
      clock,
      events,
      memory: () => process.memory(),
      global: () => current().global,
      free: () => {
        queues.swapOutAll();
        const settings = spoolSettings(current().global);
        spool.adjust({ ...settings, max_resident_bytes: 0 });
        spool.adjust(settings);
      },
    }),
  );
  const dedup = await Dedup.open({
    disk,
    clock,
    directory: join(spoolDirectory, 'ecstream'),
    complain: (text) => events.diagnose('ERROR', 'ecstream', text),
  });
  undo.defer(() => dedup.close());
  const reception = makeReception({
    clock,
    spool,
    policy,
    events,
    queues,
    configuration,
    ids,
    hostName: process.hostName,
    pressure: {
      get exceeded() {
        return pressure.exceeded;
      },
      get full() {
        return spool.statistics.full;
      },
    },
    tls: tls.inbound,
    dedup,
    logins: {
      stores,
      tokens: new Tokens({ web: world.web, clock, disk, events }),
      keys: sendingKeys(keys),
      brake,
      random: (count) => chance.bytes(count),
    },
    version,
  });

  const warnOfConsoles = (generation: Generation): void => {
    for (const { text } of consoleWarnings(generation)) events.diagnose('WARNING', 'CONSL', text);
  };
  warnOfConsoles(current());
  const mailing = undo.use(
    await makeMailing({
      world,
      events,
      configuration,
      ids,
      spool,
      queues,
      reception,
      memory: pressure,
      hostName,
    }),
  );

  const shutdowns: (() => void)[] = [];
  const shutdown = (): void => {
    for (const run of shutdowns) run();
  };
  const house = consoleHouse({
    clock,
    disk,
    chance,
    stores,
    events,
    recent,
    statistics,
    process,
    configuration,
    queues,
    delivery,
    reception,
    names,
    spool,
    shelf,
    http: () => http,
    datasourceCommands: sources.commands,
    effects: effects({ clock, listeners: () => doors, queues, reception, shelf }),
    tls,
    transmissions: mailing.transmissions,
    shutdown,
  });
  const console = consoleServer(house);
  let life: 'starting' | 'running' | 'stopping' = 'starting';
  const { server: http }: HttpSide = undo.use(
    await httpSide({
      world,
      process,
      events,
      configuration,
      house,
      spool,
      names,
      memory: pressure,
      life: () => life,
      credentials: httpCredentials(stores),
      keys,
      brake,
      mailing,
      hostName,
    }),
  );

  const doors = makeListeners({
    network,
    clock,
    configuration,
    events,
    tolerant: tolerateListeners,
    skipped: [
      ...(skip.includes('esmtp') ? (['esmtp_listener'] as const) : []),
      ...(skip.includes('ecstream') ? (['ecstream_listener'] as const) : []),
    ],
    tls: tls.inbound,
    handlers: {
      esmtp_listener: (pipe, origin) => reception.converse(pipe, origin),
      ecstream_listener: (pipe, origin) => reception.stream(pipe, origin),
      control_listener: (pipe, origin) => console.converse(pipe, origin),
      http_listener: (pipe, origin) => http.converse(pipe, origin),
    },
  });
  let change: ShelfChange | undefined;
  configuration.beforeCommit((next) => checkTlsOf(next, tls.shelf));
  configuration.beforeCommit((next) => checkDatasources(world, next));
  configuration.beforeCommit((next) => {
    change = shelf.prepare(next);
    return () => change?.drop();
  });
  configuration.onCommit((next) => {
    change?.take();
    sources.take(next);
    spool.adjust(spoolSettings(next.global));
    queues.reconsider();
    warnOfConsoles(next);
    reception.reconsider(next);
  });
  // Last, since nothing may veto a commit once its sockets are open.
  await doors.open();
  undo.defer(() => doors.close());

  const { transmissions } = mailing;
  const stopping = (): boolean => life === 'stopping';
  const recovered = recover({ clock, spool, queues, transmissions, events, dedup, stopping }).then(() => {
    if (life === 'starting') life = 'running';
  });
  if (!skip.includes('queue')) queues.workWith(delivery);
  else events.diagnose('NOTICE', 'main', 'nothing is delivered in this run: mail waits in its queues');
  const opened = undo.move();
  void sources.tellUnreachable(current());
  events.diagnose('NOTICE', 'main', `started: ${version}, configuration ${configuration.file}`);
  tellUnserved(configuration, events);
  let closed = false;

  return {
    version,
    doors: doors.names,
    spoolDirectory,
    configuration,
    ledger: queues.ledger,
    onShutdown: (run) => {
      shutdowns.push(run);
    },
    reload: () => reloadBySignal(configuration, events),
    async reopenLogs() {
      const { troubles } = await house.reopenLogs();
      for (const trouble of troubles) events.diagnose('WARNING', 'main', trouble);
    },
    async close(patienceMillis) {
      if (closed) return;
      closed = true;
      life = 'stopping';
      await doors.close();
      await Promise.all([http.close(patienceMillis), mailing.transmissions.close(), reception.close(patienceMillis)]);
      await delivery.close(patienceMillis);
      await recovered;
      queues.buryAll();
      await undertaker.settled();
      queues.close();
      await console.close();
      const { difference } = queues.ledger;
      if (difference !== 0)
        events.diagnose('CRITICAL', 'queue', `the ledger does not balance at the end: ${difference}`);
      // A disk that refuses the last records must not keep everything else from closing: the spool tells of it.
      await spool.flush().catch(() => undefined);
      events.diagnose('NOTICE', 'main', 'stopped');
      await opened.disposeAsync();
    },
  };
}
