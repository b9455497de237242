import { type Reply, reply } from './reply.ts';

/** Words of the AUTH extension (RFC 4954 §4, §6) that the machine says itself. */
export const authReplies = {
  malformed: reply(501, '5.5.4', 'AUTH syntax error'),
  notBase64: reply(501, '5.5.2', 'cannot decode base64'),
  cancelled: reply(501, '5.7.0', 'authentication cancelled'),
} as const;

/** What stands behind AUTH. */
export interface AuthArgument {
  /** In upper case. */
  readonly mechanism: string;
  /** Decoded; undefined when there is none, empty for `=`. */
  readonly initial: Uint8Array | undefined;
}

/** @returns the refusal when it is not written as RFC 4954 §8 wants */
export function readAuthArgument(text: string): AuthArgument | Reply {
  const [mechanism = '', initial, ...rest] = text.trim().split(' ');
  if (!/^[A-Za-z0-9_-]{1,20}$/.test(mechanism) || rest.length > 0) return authReplies.malformed;
  if (initial === undefined) return { mechanism: mechanism.toUpperCase(), initial };
  const bytes = initial === '=' ? NOTHING : base64(initial);
  // An empty one is written `=`: without anything behind the blank there is none.
  if (bytes === undefined || initial === '') return authReplies.notBase64;
  return { mechanism: mechanism.toUpperCase(), initial: bytes };
}

/** The line behind a challenge. An empty one is an empty response. @returns the refusal of one that is no base64, or `*` */
export function readAuthResponse(line: string): Uint8Array | Reply {
  if (line === '*') return authReplies.cancelled;
  return base64(line) ?? authReplies.notBase64;
}

/** @returns undefined for what is not in the one form of RFC 4648 §4, with its padding */
function base64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

const NOTHING = Buffer.alloc(0);
