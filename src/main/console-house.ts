import type { CredentialStores } from '../auth/index.ts';
import { family } from '../base/index.ts';
import { type Effects, type LiveConfiguration, Manual } from '../config/index.ts';
import {
  type Family,
  type House,
  type ModuleCommand as HouseCommand,
  type InboundSession,
  SystemUsers,
} from '../console/index.ts';
import type { DatasourceCommand } from '../datasource/index.ts';
import type { SmtpDelivery } from '../delivery/index.ts';
import type { Events, RecentDiagnostics, Statistics } from '../events/index.ts';
import type { HttpServer } from '../http/index.ts';
import { conntrol } from '../modules/index.ts';
import { explainItem, explainPair, type MailQueue, type Pair, type QueueRegistry } from '../queue/index.ts';
import type { OpenReception, SessionView } from '../reception/index.ts';
import type { Spool } from '../spool/index.ts';
import type { Chance, Clock, Disk, PeerAddress, Process, Resolver } from '../world/index.ts';
import { configCommands } from './config-commands.ts';
import { deliveryView } from './delivery-view.ts';
import type { ModuleCommand, ModuleShelf } from './module-shelf.ts';
import { namesView } from './names-view.ts';
import { type HouseTls, tlsView } from './tls.ts';
import { product, version } from './version.ts';

export interface ConsoleHouseParts {
  readonly clock: Clock;
  readonly disk: Disk;
  readonly chance: Chance;
  readonly stores: CredentialStores;
  readonly events: Events;
  readonly recent: RecentDiagnostics;
  readonly statistics: Statistics;
  readonly process: Process;
  readonly configuration: LiveConfiguration;
  readonly queues: QueueRegistry;
  readonly delivery: SmtpDelivery;
  readonly reception: OpenReception;
  readonly names: Resolver;
  readonly spool: Spool;
  readonly shelf: ModuleShelf;
  /** The HTTP server, which is made after this. */
  readonly http: () => HttpServer;
  readonly datasourceCommands: readonly DatasourceCommand[];
  /** What `config plan` asks. */
  readonly effects: Effects;
  readonly tls: HouseTls;
  readonly transmissions: House['transmissions'];
  readonly shutdown: () => void;
}

/** What the console's commands see of the server. */
export function consoleHouse(parts: ConsoleHouseParts): House {
  const {
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
  } = parts;
  return {
    clock,
    events,
    product: { name: product, version, buildDate: version },
    machine: { id: process.id, hostName: process.hostName, ...process.system },
    configuration,
    configCommands: configCommands(configuration, parts.effects),
    access: {
      stores,
      systemUsers: new SystemUsers(disk, chance, stores),
      realm: process.environment('EC_DIGEST_REALM') || 'Momentum Console',
      random: (count) => chance.bytes(count),
    },
    manual: new Manual(configuration.schema),
    queues,
    explain: {
      queue: (queue) => explainPair(pairOf(queues, queue), clock),
      item: (item) => explainItem(item, pairOf(queues, item.queue), clock),
    },
    delivery: deliveryView(delivery, queues, clock),
    sessions: {
      get inboundConcurrency() {
        return reception.sessions;
      },
      *inbound() {
        for (const session of reception.inbound()) yield inboundSession(session);
        yield* httpSessions(parts.http());
      },
    },
    statistics,
    diagnostics: recent,
    names: namesView(names),
    spool,
    tls: tlsView(parts.tls, clock),
    transmissions: parts.transmissions,
    modules: {
      *list() {
        for (const { name, instance, singleton } of shelf.running) {
          yield {
            scope: name,
            instance: singleton ? undefined : instance || name,
            enabled: true,
            kind: name === conntrol.name ? 'Validation' : 'Logger',
            name,
            description: descriptions[name] ?? '',
          };
        }
      },
      commands: () => [...shelf.commands, ...parts.datasourceCommands].map(inLines),
    },
    shutdown: parts.shutdown,
    async reopenLogs() {
      let loggers = 0;
      const troubles: string[] = [];
      for (const command of shelf.commands) {
        if (!command.words.endsWith('reopen logs')) continue;
        let ended: unknown;
        const lines: string[] = [];
        for await (const line of withEnd(command.run([]), (how) => (ended = how))) lines.push(line);
        if (ended === 'failed') troubles.push(...lines);
        else loggers++;
      }
      return { loggers, troubles };
    },
  };
}

/** Those who answer give lines, and the console prints what it is given. */
const inLines = (command: ModuleCommand | DatasourceCommand): HouseCommand => ({
  words: command.words,
  summary: command.summary,
  async *run(rest) {
    let ended: unknown;
    for await (const line of withEnd(command.run(rest), (how) => (ended = how))) yield `${line}\n`;
    return ended;
  },
});

/** Lines as they come; `for await` alone would lose what is returned behind them. */
async function* withEnd(
  lines: Iterable<string, unknown> | AsyncIterable<string, unknown>,
  tell: (ended: unknown) => void,
): AsyncGenerator<string> {
  tell(yield* lines);
}

function pairOf(queues: QueueRegistry, queue: MailQueue): Pair {
  const pair = queues.find(queue.binding, queue.domain);
  if (pair === undefined) throw new Error(`there is no queue for ${queue.binding} and ${queue.domain}`);
  return pair;
}

const descriptions: Readonly<Record<string, string>> = {
  ec_logger: 'mainlog, rejectlog, paniclog and acctlog',
  bounce_logger: 'bouncelog',
  http_logger: 'httplog',
  conntrol: 'the pause before the greeting, early talkers, and counts of what clients say wrong',
};

/** Words for the states of a session (spec/listeners-and-console 6). */
const states: Readonly<Record<SessionView['state'], string>> = {
  connect: 'just connected',
  start: 'awaiting ehlo/helo',
  ready: 'awaiting mailfrom',
  tls: 'handshaking TLS',
  auth: 'awaiting mailfrom',
  mail: 'awaiting rcptto',
  rcpt: 'awaiting rcptto',
  body: 'reading body',
  bdat: 'reading body',
  chunks: 'reading body',
  validating: 'async body handler',
  over: 'sending body response',
};

function inboundSession({ number, service, remote, state, since, floating }: SessionView): InboundSession {
  return {
    number,
    service,
    handler: service === 'SMTP' ? 'ESMTP' : service,
    family: familyOf(remote),
    ip: remote.ip,
    port: remote.port,
    state: states[state],
    sinceMillis: since,
    floating,
  };
}

function* httpSessions(http: HttpServer): Generator<InboundSession> {
  for (const { number, remote, state, since, floating } of http.sessions())
    yield {
      number,
      service: 'HTTP',
      handler: 'HTTP',
      family: familyOf(remote),
      ip: remote.ip,
      port: remote.port,
      state,
      sinceMillis: since,
      floating,
    };
}

function familyOf({ ip, path }: PeerAddress): Family {
  if (path !== undefined || ip === '') return 'Unix';
  return family(ip) === 4 ? 'IPv4' : 'IPv6';
}
