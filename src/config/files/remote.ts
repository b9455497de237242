import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type Disk, DiskError, type Web } from '../../world/index.ts';
import { LIMITS } from '../text/items.ts';
import { diskReason } from './disk-text.ts';

/** Documents of the web as parts of a configuration. Without this they are refused. */
export interface RemoteIncludes {
  readonly web: Web;
  /** Where `persist://` keeps what it has read, for when the source is down. */
  readonly copies: string;
}

/** Milliseconds that one document may take. */
export const FETCH_MILLIS = 10_000;

/** What the path of an include directive stands for. */
export type Target =
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'web'; readonly url: string; readonly persist: boolean }
  | { readonly kind: 'wrong'; readonly why: string };

const USER = /:\/\/[^/]*@/;

/** Hides who logs in, for messages. */
export const withoutUser = (text: string): string => text.replace(USER, '://…@');

const SCHEME = /^([a-z][a-z0-9+.-]*):\/\//i;

/** @returns what an included path names: a file here, `file://`, `http(s)://`, or one of these behind `persist://` */
export function targetOf(text: string, allowed: boolean): Target {
  const scheme = SCHEME.exec(text)?.[1]?.toLowerCase();
  const rest = text.slice((scheme?.length ?? 0) + '://'.length);
  if (scheme !== undefined && scheme !== 'file' && USER.test(text))
    return { kind: 'wrong', why: 'a user in a URL is not supported: it would stand in logs, with its password' };
  switch (scheme) {
    case undefined:
      return { kind: 'path', path: text };
    case 'file':
      return { kind: 'path', path: rest };
    case 'http':
    case 'https':
      return allowed ? { kind: 'web', url: text, persist: false } : notAllowed(scheme);
    case 'persist': {
      if (!allowed) return notAllowed(scheme);
      const inner = SCHEME.exec(rest)?.[1]?.toLowerCase();
      if (inner === 'http' || inner === 'https') return { kind: 'web', url: rest, persist: true };
      // A file is as near as its copy would be.
      if (inner === 'file') return { kind: 'path', path: rest.slice('file://'.length) };
      return { kind: 'wrong', why: 'behind persist:// a URI is wanted that begins with http://, https:// or file://' };
    }
    default:
      return { kind: 'wrong', why: `the scheme ${scheme} is not supported` };
  }
}

const notAllowed = (scheme: string): Target => ({
  kind: 'wrong',
  why: `${scheme}:// is read only with --allow-remote-includes`,
});

/** A document that was read; one from a copy has a warning. */
export type Fetched =
  | { readonly kind: 'found'; readonly bytes: Uint8Array; readonly warning: string | undefined }
  | { readonly kind: 'missing' | 'failed'; readonly why: string };

/** Reads a document; one behind `persist://` from its copy when its server does not give it. */
export async function fetched(
  remote: RemoteIncludes,
  disk: Pick<Disk, 'read' | 'status'>,
  url: string,
  persist: boolean,
): Promise<Fetched> {
  const answer = await remote.web.get(url, { timeoutMillis: FETCH_MILLIS, mostBytes: LIMITS.fileBytes });
  if (answer.kind === 'found') return { ...answer, warning: undefined };
  if (!persist) return answer;
  const copy = copyPath(remote, url);
  try {
    if (!(await disk.status(copy))) return answer;
    const warning = `${url} cannot be read (${answer.why}): its copy ${copy} is used`;
    return { kind: 'found', bytes: await disk.read(copy), warning };
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    return { kind: 'failed', why: `${answer.why}; and of its copy ${copy}: ${diskReason(error)}` };
  }
}

/** Keeps a document for when its server is down. @returns a warning when that cannot be done */
export async function keepCopy(
  remote: RemoteIncludes,
  disk: Pick<Disk, 'makeDirectory' | 'replace'>,
  url: string,
  bytes: Uint8Array,
): Promise<string | undefined> {
  const copy = copyPath(remote, url);
  try {
    await disk.makeDirectory(remote.copies);
    await disk.replace(copy, bytes);
    return undefined;
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    return `no copy of ${url} could be kept in ${copy}: ${diskReason(error)}`;
  }
}

/** A name that no URL can choose, with enough of the URL for people to know it. */
export function copyPath(remote: Pick<RemoteIncludes, 'copies'>, url: string): string {
  const known = url
    .replace(/^[a-z]+:\/\//i, '')
    .replace(/[?#].*$/s, '')
    .replace(/[^A-Za-z0-9.-]+/g, '_')
    .slice(0, 80);
  return join(remote.copies, `${known}.${createHash('sha256').update(url).digest('hex').slice(0, 16)}`);
}
