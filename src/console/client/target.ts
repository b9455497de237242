import { join } from 'node:path';
import { type Endpoint, endpointText, parseEndpoint } from '../../base/index.ts';

/** Where to connect to, or why not. */
export type Target = EndpointTarget | { readonly kind: 'usage'; readonly why: string };

export interface EndpointTarget {
  readonly kind: 'endpoint';
  readonly endpoint: Endpoint;
  /** As typed. */
  readonly text: string;
  /** Who logs in; undefined when the target does not say. */
  readonly user: string | undefined;
  /** What ssh is to be called with, when it makes the connection. */
  readonly ssh: readonly string[] | undefined;
}

/**
 * The first argument is an endpoint when it can be nothing else: commands have no ports, begin with no path, and have
 * slashes only behind a blank.
 */
export const looksLikeEndpoint = (text: string): boolean =>
  /^(?:\.{0,2}\/.*|\S*\/\S*)$/.test(text) || /^(?:[^\s@/]+@)?(?:\[[^\]\s]*\]|[^\s:@/]*):\d+$/.test(text);

/** @param directory what relative paths start from */
export function readTarget(text: string, directory: string): Target {
  if (text.startsWith('ssh://')) return sshTarget(text);
  const slash = text.includes('/');
  const at = slash ? -1 : text.lastIndexOf('@');
  const user = at > 0 ? text.slice(0, at) : undefined;
  if (user?.includes(':') === true) return { kind: 'usage', why: PASSWORD };
  // A path that does not begin at the root begins where we are: the parser knows only absolute ones.
  const place = slash && !text.startsWith('/') ? join(directory, text) : text.slice(at + 1);
  const endpoint = parseEndpoint(place);
  if (endpoint.kind === 'error') return { kind: 'usage', why: `${text}: ${endpoint.text}` };
  return { kind: 'endpoint', endpoint, text, user, ssh: undefined };
}

const PASSWORD = 'passwords do not belong into an endpoint: they are asked for, or read from --password-file';

/** `ssh://user@host[:port]/user@address:port`: ssh goes to the first, and connects to the second from there. */
function sshTarget(text: string): Target {
  const slash = text.indexOf('/', 'ssh://'.length);
  const [first, second] = slash === -1 ? [text.slice(6), ''] : [text.slice(6, slash), text.slice(slash + 1)];
  if (/^[^@]*:.*@/.test(first) || /^[^@]*:[^@]*@/.test(second)) return { kind: 'usage', why: PASSWORD };
  const [, login, host, port] = /^(?:([^@:]+)@)?([^@:[\]]+|\[[0-9a-fA-F:.]+\])(?::(\d{1,5}))?$/.exec(first) ?? [];
  if (host === undefined) return { kind: 'usage', why: `${text}: write ssh://user@host/user@address:port` };
  // ssh would take such a name for one of its options.
  if (host.startsWith('-') || login?.startsWith('-') === true)
    return { kind: 'usage', why: `${text}: a name may not begin with a hyphen` };
  if (second.includes('/')) return { kind: 'usage', why: `${text}: ssh -W reaches address:port only` };
  const inner = readTarget(second === '' ? '127.0.0.1:2025' : second, '/');
  if (inner.kind !== 'endpoint' || inner.endpoint.kind !== 'tcp')
    return { kind: 'usage', why: `${text}: write ssh://user@host/user@address:port` };
  const bare = host.startsWith('[') ? host.slice(1, -1) : host;
  return {
    ...inner,
    text,
    ssh: [
      '-W',
      endpointText(inner.endpoint),
      ...(login === undefined ? [] : ['-l', login]),
      ...(port === undefined ? [] : ['-p', port]),
      '--',
      bare,
    ],
  };
}
