import { join } from 'node:path';
import { type Endpoint, parseEndpoint } from '../../base/index.ts';

/** Where to connect to, or why not; `usage` is a mistake in what was typed, the others are not built yet. */
export type Target =
  | { readonly kind: 'endpoint'; readonly endpoint: Endpoint; readonly text: string }
  | { readonly kind: 'usage' | 'missing'; readonly why: string };

/**
 * The first argument is an endpoint when it can be nothing else: commands have no ports, begin with no path, and have
 * slashes only behind a blank.
 */
export const looksLikeEndpoint = (text: string): boolean =>
  /^(?:\.{0,2}\/.*|\S*\/\S*)$/.test(text) || /^(?:[^\s@/]+@)?(?:\[[^\]\s]*\]|[^\s:@/]*):\d+$/.test(text);

/** @param directory what relative paths start from */
export function readTarget(text: string, directory: string): Target {
  if (text.startsWith('ssh://')) {
    if (/^ssh:\/\/[^@/]*:[^@/]*@/.test(text)) return { kind: 'usage', why: 'passwords do not belong into a URL' };
    return { kind: 'missing', why: 'ssh:// endpoints are not implemented yet: use ssh HOST ec_console' };
  }
  const at = text.indexOf('@');
  if (at > 0 && !text.includes('/'))
    return { kind: 'missing', why: 'logging in over TCP is not implemented yet: use a Unix socket' };
  // A path that does not begin at the root begins where we are: the parser knows only absolute ones.
  const endpoint = parseEndpoint(text.includes('/') && !text.startsWith('/') ? join(directory, text) : text);
  if (endpoint.kind === 'error') return { kind: 'usage', why: `${text}: ${endpoint.text}` };
  return { kind: 'endpoint', endpoint, text };
}
