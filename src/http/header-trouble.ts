import { type Refusal, refusal } from './answer.ts';
import type { IncomingMessage } from './node-http.ts';

/** Of two with one name some programs would take the first, and others the last. */
const SINGLE = ['host', 'authorization', 'content-type'] as const;

/** RFC 9110 7.2: a host of RFC 3986 with its port. It may be empty. */
const HOST = /^(?:[A-Za-z0-9._~!$&'()*+,;=%-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?$/;

/** What Node's parser lets through, and what others may read in another way than we would. Such a connection ends. */
export function headerTrouble(request: IncomingMessage): Refusal | undefined {
  const { httpVersion, rawHeaders, headers } = request;
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return ends('HTTP/1.1 and HTTP/1.0 are spoken here', 505);
  for (const name of SINGLE) {
    const count = countOf(rawHeaders, name);
    if (count > 1) return ends(`a request has one ${name} field, and this one has ${count}`);
  }
  if (headers.host === undefined && httpVersion === '1.1')
    return ends('a request has a host field, and this one has none');
  if (headers.host !== undefined && !HOST.test(headers.host)) return ends('the host field names no host');
  const coding = headers['transfer-encoding'];
  if (coding === undefined) return undefined;
  // RFC 9112 6.1: who speaks HTTP/1.0 does not know of chunks, and may have read the request otherwise.
  if (httpVersion === '1.0') return ends('it cannot be told where the body ends');
  return coding.trim().toLowerCase() === 'chunked'
    ? undefined
    : ends('no Transfer-Encoding but chunked is understood', 501);
}

function countOf(rawHeaders: readonly string[], name: string): number {
  let count = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) if (rawHeaders[at]?.toLowerCase() === name) count++;
  return count;
}

const ends = (description: string, status = 400): Refusal =>
  refusal('1200', description, { status, headers: { connection: 'close' } });
