import type { Option } from '../../config/index.ts';
import { option, path } from '../../config/index.ts';
import type { RequestEvent } from '../../events/index.ts';
import { escapeControls } from '../log-text.ts';
import { openLog, reopenCommand } from '../logger.ts';
import type { ModuleDefinition } from '../module.ts';

export const httplog: Option<string> = option('log', path, { scope: 'http_logger' });

/** Whoever rotates logs as another user may read them, as with the other logs of Momentum. */
const MODE = 0o644;

/**
 * Writes the httplog: a line for each HTTP request that has its answer.
 *
 * @see spec/logs-and-metrics.md 8
 */
export const httpLogger: ModuleDefinition = {
  name: 'http_logger',
  instances: 'named',
  options: [httplog],
  start(host, view) {
    const log = openLog(host, httplog, view, MODE);
    const ends = [
      host.events.subscribe(['request'], (event) => log.append(requestLine(event))),
      reopenCommand(host, [log]),
    ];
    return {
      async [Symbol.asyncDispose]() {
        for (const end of ends) end[Symbol.dispose]();
        await log[Symbol.asyncDispose]();
      },
    };
  },
};

/** `1772532000 192.0.2.1:4711 *:2081 "GET stats/summary HTTP/1.1" 200 627 0.412`: the path without its first slash. */
export function requestLine({
  at,
  remote,
  listener,
  method,
  target,
  version,
  status,
  bytes,
  millis,
}: RequestEvent): string {
  const request = escapeControls(`${method} ${target.replace(/^\//, '')} HTTP/${version}`);
  return `${Math.floor(at / 1000)} ${remote} ${asWritten(listener)} "${request}" ${status} ${bytes} ${millis.toFixed(3)}`;
}

/** A wildcard stands there as operators write it. */
const asWritten = (listener: string): string => listener.replace(/^0\.0\.0\.0:/, '*:').replace(/^\[::\]:/, '[*]:');
