import { type ApiHouse, apiRoutes, traffic } from '../api/index.ts';
import type { GuessBrake } from '../auth/index.ts';
import type { Configuration } from '../config/index.ts';
import type { House } from '../console/index.ts';
import type { Events } from '../events/index.ts';
import { type ApiKeys, type Credentials, type HttpServer, httpServer } from '../http/index.ts';
import type { Spool } from '../spool/index.ts';
import type { Process, Resolver, World } from '../world/index.ts';
import { LagWatch } from './lag-watch.ts';
import type { Mailing } from './mailing.ts';

export interface HttpSideParts {
  readonly world: World;
  readonly process: Process;
  readonly events: Events;
  readonly configuration: Configuration;
  /** The console's views: both doors show the same numbers. */
  readonly house: House;
  readonly spool: Spool;
  readonly names: Resolver;
  readonly memory: { readonly exceeded: boolean };
  /** `starting` until what was in the spool is in the queues again. */
  readonly life: () => 'starting' | 'running' | 'stopping';
  readonly credentials: Credentials;
  readonly keys: ApiKeys;
  /** The one of all doors. */
  readonly brake: GuessBrake;
  readonly hostName: () => string;
  readonly mailing: Mailing;
}

export interface HttpSide extends AsyncDisposable {
  readonly server: HttpServer;
}

/** The HTTP server with all its routes. */
export async function httpSide(parts: HttpSideParts): Promise<HttpSide> {
  const { world, process, events, configuration, house, spool, names, memory, life } = parts;
  const { clock, chance } = world;
  const lag = new LagWatch(clock);
  const counted = traffic(events);
  const full = (): string | undefined => {
    if (memory.exceeded) return 'memory_hwm is reached';
    return spool.statistics.full ? 'the spool is full' : undefined;
  };
  const { product, queues, delivery, sessions, statistics } = house;
  const api: ApiHouse = {
    clock,
    product,
    queues,
    delivery,
    sessions,
    statistics,
    names: house.names,
    spool,
    traffic: counted,
    resolver: names,
    pressure: { reason: () => (life() === 'stopping' ? 'the server is stopping' : full()) },
    unready: () => {
      const state = life();
      const reason = full();
      return [...(state === 'running' ? [] : [`the server is ${state}`]), ...(reason === undefined ? [] : [reason])];
    },
    memory: () => process.memory(),
    eventLoopLag: () => lag.worst,
    global: () => configuration.current.global,
    chance,
    generation: () => configuration.current,
    ...parts.mailing,
  };
  const server = await httpServer({
    clock,
    chance,
    events,
    configuration,
    routes: apiRoutes(api),
    keys: parts.keys,
    credentials: parts.credentials,
    brake: parts.brake,
    pressure: api.pressure,
    hostName: parts.hostName,
  });
  return {
    server,
    async [Symbol.asyncDispose]() {
      lag[Symbol.dispose]();
      counted[Symbol.dispose]();
    },
  };
}
