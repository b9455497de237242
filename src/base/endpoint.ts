import { parseAddress, unmapped } from './address.ts';

/** Where a socket listens or connects to, in canonical form. */
export type Endpoint =
  | { readonly kind: 'tcp'; readonly ip: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** Why a text is no endpoint, in the words of the manual (listeners, endpoint syntax). */
export interface EndpointError {
  readonly kind: 'error';
  readonly text: string;
}

/**
 * @param text `*:25`, `:25`, `192.0.2.1:25`, `[*]:25`, `[2001:db8::1]:25` or the absolute path of a Unix socket.
 *   `*` is any IPv4 address, `[*]` any IPv6 address
 * @returns the endpoint with its address in canonical form, or what is wrong with the text
 */
export function parseEndpoint(text: string): Endpoint | EndpointError {
  if (text.includes('/')) return parseSocketPath(text);
  if (text.startsWith('[')) return parseBracketed(text);
  const colon = text.indexOf(':');
  if (colon === -1) {
    if (/^[0-9]+$/.test(text)) return error(`write ":${text}"`);
    if (/^\*\.[0-9]+$/.test(text)) return error(`use "*:${text.slice(2)}"`);
    return error('missing port');
  }
  if (text.includes(':', colon + 1)) return error('IPv6 addresses need brackets');
  const host = text.slice(0, colon);
  if (host === '' || host === '*') return tcp('0.0.0.0', text.slice(colon + 1));
  if (!/^[0-9.]+$/.test(host)) return error('host names are not accepted');
  const ip = parseAddress(host);
  return ip === undefined ? error('invalid IPv4 address') : tcp(ip, text.slice(colon + 1));
}

/** @returns the canonical key: `0.0.0.0:25`, `[::]:25`, or the path of a Unix socket */
export function endpointText(endpoint: Endpoint): string {
  if (endpoint.kind === 'unix') return endpoint.path;
  return endpoint.ip.includes(':') ? `[${endpoint.ip}]:${endpoint.port}` : `${endpoint.ip}:${endpoint.port}`;
}

/** `sun_path` has 108 bytes on Linux, the last of them NUL. */
const LONGEST_SOCKET_PATH = 107;

const error = (text: string): EndpointError => ({ kind: 'error', text });

function parseSocketPath(text: string): Endpoint | EndpointError {
  if (!text.startsWith('/')) return error('Unix sockets need an absolute path');
  if (text.includes('\0')) return error('invalid character in socket path');
  const path = text.replace(/\/(?:\.?\/)+/g, '/');
  if (Buffer.byteLength(path) > LONGEST_SOCKET_PATH) return error('socket path too long');
  return { kind: 'unix', path };
}

function parseBracketed(text: string): Endpoint | EndpointError {
  const close = text.indexOf(']');
  if (close === -1) return error('invalid IPv6 address');
  const host = text.slice(1, close);
  const ip = host === '*' ? '::' : host.includes(':') ? parseAddress(host) : undefined;
  if (ip === undefined) return error('invalid IPv6 address');
  if (text[close + 1] !== ':') return error('missing port');
  // A mapped address is the IPv4 address it means: no socket of IPv6 alone could be bound to it.
  return tcp(unmapped(ip), text.slice(close + 2));
}

function tcp(ip: string, digits: string): Endpoint | EndpointError {
  const port = /^[0-9]{1,5}$/.test(digits) ? Number(digits) : 0;
  return port >= 1 && port <= 65535 ? { kind: 'tcp', ip, port } : error('invalid port');
}
