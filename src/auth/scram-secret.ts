import { fromBase64, hmacSha256, sha256 } from './secrets.ts';

/** What a server keeps of a password (RFC 5802 §3): enough to check one, and not enough to log in with. */
export interface ScramSecret {
  readonly iterations: number;
  readonly salt: Uint8Array;
  readonly storedKey: Uint8Array;
  readonly serverKey: Uint8Array;
}

/** RFC 7677 wants 4096 at least; more than the other costs a server seconds for each login. */
export const ITERATIONS = { least: 4096, most: 1_000_000 } as const;

/** @param salted  PBKDF2 of the password with the salt: `SaltedPassword` */
export function scramSecret(salted: Uint8Array, salt: Uint8Array, iterations: number): ScramSecret {
  return {
    iterations,
    salt,
    storedKey: sha256(hmacSha256(salted, 'Client Key')),
    serverKey: hmacSha256(salted, 'Server Key'),
  };
}

/** `SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey`, as PostgreSQL, Dovecot and others have it. */
export const scramText = ({ iterations, salt, storedKey, serverKey }: ScramSecret): string =>
  `SCRAM-SHA-256$${iterations}:${base64(salt)}$${base64(storedKey)}:${base64(serverKey)}`;

/** @returns undefined when the text is not of that form, or its iterations are not allowed */
export function readScram(text: string): ScramSecret | undefined {
  const parts = /^SCRAM-SHA-256\$(\d{1,8}):([^:$]+)\$([^:$]+):([^:$]+)$/.exec(text);
  const iterations = Number(parts?.[1]);
  const [salt, storedKey, serverKey] = [2, 3, 4].map((at) => fromBase64(parts?.[at] ?? ''));
  if (!(iterations >= ITERATIONS.least && iterations <= ITERATIONS.most)) return undefined;
  if (salt === undefined || salt.length === 0 || salt.length > 255) return undefined;
  if (storedKey?.length !== 32 || serverKey?.length !== 32) return undefined;
  return { iterations, salt, storedKey, serverKey };
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
