import type { Endpoint } from '../base/index.ts';
import { endpointText } from '../base/index.ts';
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
      const trouble = closing === undefined ? controlEndpointTrouble(origin.endpoint) : 'the server is shutting down';
      if (trouble !== undefined) return refuse(pipe, origin, trouble);
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

/**
 * What is wrong with an endpoint for consoles: for the check of the configuration, and again at accept. A TCP console
 * needs a login (spec: DIGEST-MD5 or LOGIN), and there is none yet; without one everybody could end the server.
 *
 * @returns undefined when nothing is
 */
export function controlEndpointTrouble(endpoint: Endpoint): string | undefined {
  return endpoint.kind === 'unix'
    ? undefined
    : 'consoles over TCP are not implemented yet, because logging in is not: use a Unix socket';
}
