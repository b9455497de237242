import { CredentialStores } from '../../../src/auth/index.ts';
import { bindingName, type Domain, type Endpoint, millis, seconds } from '../../../src/base/index.ts';
import { configSchema, Manual, type Option, type View } from '../../../src/config/index.ts';
import type {
  ConsoleOrigin,
  DnsCounts,
  House,
  InboundSession,
  ModuleCommand,
  ModuleFacts,
  OutboundConnection,
  Route,
} from '../../../src/console/index.ts';
import { consoleTimeout, SystemUsers } from '../../../src/console/index.ts';
import { type Events, events, recentDiagnostics, statistics } from '../../../src/events/index.ts';
import type { Explanation } from '../../../src/queue/index.ts';
import type { DnsAnswer } from '../../../src/world/index.ts';
import { SimChance } from '../../../src/world/sim/chance.ts';
import { SimClock } from '../../../src/world/sim/clock.ts';
import { SimDisk } from '../../../src/world/sim/disk.ts';
import { simHashing } from '../../../src/world/sim/hashing.ts';
import { asQueues, FakeQueues } from './fake-queues.ts';

const noQueries = { A: 0, AAAA: 0, MX: 0, TXT: 0, CNAME: 0, PTR: 0 };

/** A house of cardboard: everything a test may want to set is a field. */
export class FakeHouse implements House {
  readonly clock = new SimClock();
  readonly events: Events = events(this.clock, () => 3);
  readonly product = { name: 'impetus', version: '1.2.3', buildDate: '2026-03-01' };
  readonly machine = {
    id: 4711,
    hostName: 'mx.example',
    bits: 64,
    release: 'Linux 6.1',
    uname: 'Linux mx 6.1 x86_64',
  } as const;
  readonly configuration = {
    current: {
      number: 3,
      bindings: () => [
        { group: 'default', name: bindingName('default') },
        { group: 'retail', name: bindingName('r1') },
        { group: 'retail', name: bindingName('r2') },
      ],
      receiving: () => fakeView(this.values),
      instances: (type: string, inside?: string) =>
        type === 'role' && inside === 'authorization' ? Object.keys(this.roles) : [],
      stanza: (_type: string, instance: string) => fakeView({ allow: this.roles[instance] ?? [] }),
    },
  };
  /** Values of the Control_Listener, by the names of options. */
  readonly values: Record<string, unknown> = {};
  /** Patterns of the Role stanzas. */
  readonly roles: Record<string, readonly RegExp[]> = {};
  readonly disk = new SimDisk(this.clock, new SimChance(3));
  readonly stores = new CredentialStores({
    disk: this.disk,
    clock: this.clock,
    chance: new SimChance(4),
    hashing: simHashing,
    events: this.events,
  });
  readonly access: House['access'] = {
    stores: this.stores,
    systemUsers: new SystemUsers(this.disk, new SimChance(5), this.stores),
    realm: 'Momentum Console',
    random: (count) => new SimChance(this.clock.now() + 6).bytes(count),
  };
  readonly configLines: string[] = [];
  readonly configSessions = { opened: 0, disposed: 0, transaction: false };
  stanza: string | undefined;
  readonly configCommands = {
    open: () => {
      this.configSessions.opened++;
      return {
        run: async (line: string) => {
          this.configLines.push(line);
          return line.startsWith('get bad')
            ? { text: "config: unknown option 'bad' in scope ''", ok: false }
            : { text: `ran ${line}`, ok: true };
        },
        write: async (file: string | undefined) => ({
          text: file === undefined ? 'Hostname = "mx.example"\n' : '',
          ok: true,
        }),
        matching: () => this.stanza,
        open: this.configSessions.transaction,
        [Symbol.dispose]: () => {
          this.configSessions.disposed++;
        },
      };
    },
  };
  readonly declared: Option<unknown>[] = [consoleTimeout];
  get manual(): Manual {
    return new Manual(configSchema(this.declared, []));
  }
  readonly mail = new FakeQueues();
  readonly queues = asQueues(this.mail);
  explanation: Explanation = { gate: 'open', because: undefined, since: undefined, until: undefined };
  readonly explain = { queue: () => this.explanation, item: () => this.explanation };
  outbound: OutboundConnection[] = [];
  inbound: InboundSession[] = [];
  readonly known = new Map<string, Route>();
  readonly refreshed: string[] = [];
  readonly delivery: House['delivery'];
  readonly sessions: House['sessions'];
  readonly statistics = statistics(this.events, this.clock);
  readonly diagnostics = recentDiagnostics(this.events);
  dnsCounts: DnsCounts = {
    queries: noQueries,
    timeouts: noQueries,
    arpa: { ipv4: 0, ipv6: 0 },
    pending: 0,
    responses: 0,
    bad: 0,
    lookups: 0,
    hits: 0,
    peakMillis: 0,
    averageMillis: 0,
  };
  readonly answers = new Map<string, DnsAnswer>();
  readonly submitted: string[] = [];
  readonly names: House['names'];
  body: (Uint8Array | Promise<Uint8Array>)[] = [];
  bodiesHeld = 0;
  readonly spool: House['spool'];
  moduleFacts: ModuleFacts[] = [];
  moduleCommands: ModuleCommand[] = [];
  readonly modules: { list(): ModuleFacts[]; commands: () => ModuleCommand[] } = {
    list: () => this.moduleFacts,
    commands: () => this.moduleCommands,
  };
  readonly shutdowns: string[] = [];

  constructor() {
    const house = this;
    this.delivery = {
      get outboundConcurrency() {
        return house.outbound.length;
      },
      connections: () => house.outbound,
      get routes() {
        return house.known.size;
      },
      route: (domain) => house.known.get(domain),
      refresh: (domain) => void house.refreshed.push(domain),
      refreshAll: () => void house.refreshed.push('all'),
    };
    this.sessions = {
      get inboundConcurrency() {
        return house.inbound.filter(({ service }) => service === 'SMTP').length;
      },
      inbound: () => house.inbound,
    };
    this.names = {
      resolver: 'node',
      cached: (name, type) => {
        const answer = house.answers.get(`${name} ${type}`);
        return answer === undefined ? undefined : { answer, secondsLeft: 299.6 };
      },
      submit: (name, type) => void house.submitted.push(`${name} ${type}`),
      get counts() {
        return house.dnsCounts;
      },
      reset: () => {
        house.dnsCounts = { ...house.dnsCounts, queries: noQueries };
      },
    };
    this.spool = {
      statistics: { residentBodies: 4 },
      hold: () => {
        house.bodiesHeld++;
        let at = 0;
        return {
          length: 0,
          traits: { dots: false, lone: false },
          next: () => {
            const slice = house.body[at++];
            return slice instanceof Promise
              ? slice.then((bytes) => [bytes])
              : slice === undefined
                ? undefined
                : [slice];
          },
          rewind: () => {
            at = 0;
          },
          [Symbol.dispose]: () => {
            house.bodiesHeld--;
          },
        };
      },
    };
  }

  shutdown(): void {
    this.shutdowns.push('shutdown');
  }

  tlsContexts: ReturnType<House['tls']['contexts']> = [];
  tlsFlushes = 0;
  transmissions: House['transmissions'] = { waiting: 0, generating: 0 };
  readonly tls: House['tls'] = {
    contexts: () => this.tlsContexts,
    failedHandshakes: 3,
    flush: () => {
      this.tlsFlushes++;
    },
  };

  reopenTroubles: string[] = [];

  async reopenLogs(): ReturnType<House['reopenLogs']> {
    return { loggers: 2 - this.reopenTroubles.length, troubles: this.reopenTroubles };
  }

  connection(
    number: number,
    binding: string,
    domain: string,
    address = '192.0.2.25',
    state = 'reading confirmation',
  ): OutboundConnection {
    const family = address.includes(':') ? 'IPv6' : 'IPv4';
    return {
      number,
      binding: bindingName(binding),
      domain: domain as Domain,
      address,
      port: 25,
      host: `mx.${domain}`,
      family,
      state,
      sinceMillis: millis(this.clock.now() - 1500),
    };
  }
}

/** Values by the names of options; what is not given has its default. All of them stand in the Listen stanza. */
export function fakeView(values: Readonly<Record<string, unknown>>): View {
  return {
    generation: 3,
    get: <T>(option: Option<T>): T => (option.name in values ? (values[option.name] as T) : option.initial),
    owner: () => ({ key: 'control_listener:listen:x', place: undefined }),
    sameIn: () => true,
  };
}

/** An origin as the listener hands it over; `ends` counts how often the slot was given back. */
export function fakeOrigin(
  endpoint: Endpoint,
  idleSeconds = 60,
  values: Readonly<Record<string, unknown>> = {},
): ConsoleOrigin & { ends: number } {
  const view = fakeView({ timeout: seconds(idleSeconds), ...values });
  const origin = {
    endpoint,
    generation: { receiving: () => view },
    ends: 0,
    ended: () => {
      origin.ends++;
    },
  };
  return origin;
}
