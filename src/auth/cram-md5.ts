import { createHmac } from 'node:crypto';
import type { ClientMechanism, ServerMechanism, ServerStep } from './mechanism.ts';
import { challenge, MOST_RESPONSE, malformed, response, unavailable, wrong } from './mechanism.ts';
import { sameSecret, textOf } from './secrets.ts';

/**
 * CRAM-MD5 (RFC 2195).
 *
 * @param text  the challenge, never twice the same: `<1896.697170952@host>`
 */
export function cramServer(text: string): ServerMechanism {
  return {
    name: 'CRAM-MD5',
    begin: (initial) => (initial === undefined ? challenge(text) : malformed()),
    respond(bytes): ServerStep {
      const words = bytes.length > MOST_RESPONSE ? undefined : /^(.+) ([0-9a-f]{32})$/s.exec(textOf(bytes) ?? '');
      const [, user, digest] = words ?? [];
      if (user === undefined || digest === undefined) return malformed();
      return {
        kind: 'password wanted',
        user,
        offered: { crypt: 'hmac_md5', password: digest, nonce: text, realm: '', digestUri: '' },
        answered(found) {
          if (found.kind === 'unavailable') return unavailable(user);
          if (found.kind === 'judged') return found.verdict === 'right' ? { kind: 'granted', user } : wrong(user);
          const fits = sameSecret(digest, keyed(found.kind === 'known' ? found.secret : found.decoy, text));
          return fits && found.kind === 'known' ? { kind: 'granted', user } : wrong(user);
        },
      };
    },
  };
}

export function cramClient(user: string, password: string): ClientMechanism {
  return {
    name: 'CRAM-MD5',
    begin: () => ({ kind: 'response', bytes: undefined }),
    challenge: (bytes) => response(`${user} ${keyed(password, bytes)}`),
    granted: () => true,
  };
}

const keyed = (password: string, text: string | Uint8Array): string =>
  createHmac('md5', password).update(text).digest('hex');
