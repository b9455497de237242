import type { Endpoint } from '../base/index.ts';
import { endpointText } from '../base/index.ts';
import { clientAddress, forcedAuthentication, peerText } from '../reception/index.ts';
import type { Pipe, PipeHost } from '../world/index.ts';
import type { House } from './house.ts';
import type { ConsoleOrigin } from './origin.ts';
import { ConsoleSession, refuse } from './session.ts';

export interface ConsoleServer {
  converse(pipe: Pipe, origin: ConsoleOrigin): PipeHost;
  /** No further command is begun; resolves when every console is closed. Those that do not read are cut off. */
  close(): Promise<void>;
  readonly sessions: number;
}

/** Serves consoles on the Control_Listener. */
export function consoleServer(house: House): ConsoleServer {
  const sessions = new Set<ConsoleSession>();
  let closing: PromiseWithResolvers<void> | undefined;
  const ended = (session: ConsoleSession): void => {
    sessions.delete(session);
    if (sessions.size === 0) closing?.resolve();
  };
  return {
    get sessions() {
      return sessions.size;
    },
    converse(pipe, origin) {
      if (closing !== undefined) return refuse(pipe, origin, 'the server is shutting down');
      const trouble = entryTrouble(pipe, origin);
      if (trouble !== undefined) {
        const { clock, configuration, events } = house;
        events.record({
          kind: 'accounting',
          type: 'N',
          at: clock.date(),
          generation: configuration.current.number,
          listener: endpointText(origin.endpoint),
          peer: pipe.remote.ip === '' ? '' : peerText(pipe.remote),
          user: '',
          result: 0,
        });
        return refuse(pipe, origin, trouble);
      }
      const session = new ConsoleSession(house, pipe, origin, endpointText(origin.endpoint), ended);
      sessions.add(session);
      session.begin();
      return session;
    },
    close() {
      if (closing === undefined) {
        closing = Promise.withResolvers();
        for (const session of [...sessions]) session.finish('the server is shutting down');
        if (sessions.size === 0) closing.resolve();
      }
      return closing.promise;
    },
  };
}

/** `Always_Deny` shuts everybody out and `Always_Allow` lets in whoever connects, also over TCP (manual page control-auth). */
function entryTrouble(pipe: Pipe, { endpoint, generation }: ConsoleOrigin): string | undefined {
  const view = generation.receiving('control_listener', endpoint, clientAddress(pipe.remote));
  switch (forcedAuthentication(view)) {
    case 'failed':
      return 'Authorization required for console session';
    case 'succeeded':
      return undefined;
    default:
      return controlEndpointTrouble(endpoint);
  }
}

/**
 * What is wrong with an endpoint for consoles: for the check of the configuration, and again at accept. A TCP console
 * needs a login (spec: DIGEST-MD5 or LOGIN), and there is none yet; without one everybody could end the server. Clients
 * for whom `Always_Allow` is set need none.
 *
 * @returns undefined when nothing is
 */
export function controlEndpointTrouble(endpoint: Endpoint): string | undefined {
  return endpoint.kind === 'unix'
    ? undefined
    : 'consoles over TCP are not implemented yet, because logging in is not: use a Unix socket, or Always_Allow for clients that you trust';
}
