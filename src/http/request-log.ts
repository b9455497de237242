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
  readonly status: number;
  /** Of the answer's body. */
  readonly bytes: number;
  readonly millis: Millis;
}

/** `Log_Requests_to_Paniclog`: `ip:port "METHOD path HTTP/1.1" status bytes ms`, behind the time that the log puts there. */
export function logRequest(events: Pick<Events, 'diagnose'>, served: Served): void {
  if (!served.guest.view().get(logRequestsToPaniclog)) return;
  const { guest, request, status, bytes, millis } = served;
  const line = `${request.method} ${request.url} HTTP/${request.httpVersion}`;
  events.diagnose('NOTICE', '', `${peerText(guest.pipe.remote)} "${line}" ${status} ${bytes} ${millis.toFixed(3)}`);
}
