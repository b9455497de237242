import type { Millis } from '../base/index.ts';
import type { Events } from '../events/index.ts';
import { peerText } from '../reception/index.ts';
import type { Guest } from './guest.ts';
import type { IncomingMessage } from './node-http.ts';
import { logRequestsToPaniclog } from './options.ts';

/** A request that has its answer. */
export interface Served {
  readonly guest: Guest;
  readonly request: IncomingMessage;
  readonly at: Millis;
  readonly status: number;
  /** Of the answer's body. */
  readonly bytes: number;
  readonly millis: Millis;
}

/**
 * Tells of a request, and writes it to the paniclog for `Log_Requests_to_Paniclog`:
 * `ip:port "METHOD path HTTP/1.1" status bytes ms`, behind the time that the log puts there.
 */
export function logRequest(events: Events, { guest, request, at, status, bytes, millis }: Served): void {
  const view = guest.view();
  const remote = peerText(guest.pipe.remote);
  const method = request.method ?? '';
  // A quotation mark would end the field of whoever reads the line.
  const target = (request.url ?? '').replaceAll('"', '%22');
  const version = request.httpVersion;
  events.record({
    kind: 'request',
    at,
    generation: view.generation,
    remote,
    listener: guest.listener,
    method,
    target,
    version,
    status,
    bytes,
    millis,
  });
  if (!view.get(logRequestsToPaniclog)) return;
  const line = `${method} ${target} HTTP/${version}`;
  events.diagnose('NOTICE', '', `${remote} "${line}" ${status} ${bytes} ${millis.toFixed(3)}`);
}
