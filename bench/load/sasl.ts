import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';

export const mechanisms = ['PLAIN', 'LOGIN', 'CRAM-MD5', 'SCRAM-SHA-1', 'SCRAM-SHA-256'] as const;
export type Mechanism = (typeof mechanisms)[number];

export const isMechanism = (text: string): text is Mechanism => (mechanisms as readonly string[]).includes(text);

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');

/** The client's side of one AUTH (RFC 4954). */
export interface Exchange {
  /** Behind `AUTH `. */
  readonly first: string;
  /** @param challenge  text of a 334 @returns the line to send; undefined when it makes no sense: then `*` is due */
  answer(challenge: string): string | undefined;
}

export function exchange(mechanism: Mechanism, user: string, password: string): Exchange {
  switch (mechanism) {
    case 'PLAIN':
      return { first: `PLAIN ${base64(`\0${user}\0${password}`)}`, answer: () => undefined };
    case 'LOGIN': {
      const lines = [base64(user), base64(password)];
      return { first: 'LOGIN', answer: () => lines.shift() };
    }
    case 'CRAM-MD5':
      return {
        first: 'CRAM-MD5',
        answer: (challenge) => {
          const digest = createHmac('md5', password).update(Buffer.from(challenge, 'base64')).digest('hex');
          return base64(`${user} ${digest}`);
        },
      };
    case 'SCRAM-SHA-1':
      return scram(mechanism, 'sha1', user, password);
    case 'SCRAM-SHA-256':
      return scram(mechanism, 'sha256', user, password);
  }
}

/** RFC 5802 and 7677, without channel binding. */
function scram(mechanism: Mechanism, hash: 'sha1' | 'sha256', user: string, password: string): Exchange {
  const nonce = randomBytes(18).toString('base64');
  const bare = `n=${user.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${nonce}`;
  const hmac = (key: Buffer, text: string): Buffer => createHmac(hash, key).update(text).digest();
  let signature: string | undefined;
  return {
    first: `${mechanism} ${base64(`n,,${bare}`)}`,
    answer(challenge) {
      const text = Buffer.from(challenge, 'base64').toString('utf8');
      // The server's last word: it must know the password too.
      if (signature !== undefined) return text === `v=${signature}` ? '' : undefined;
      const [, combined = '', salt = '', rounds = ''] = /^r=([^,]+),s=([^,]+),i=(\d+)/.exec(text) ?? [];
      if (!combined.startsWith(nonce) || combined === nonce || !(Number(rounds) > 0)) return undefined;
      const key = saltedPassword(hash, password, salt, Number(rounds));
      const clientKey = hmac(key, 'Client Key');
      const without = `c=biws,r=${combined}`;
      const message = `${bare},${text},${without}`;
      const proof = hmac(createHash(hash).update(clientKey).digest(), message);
      for (let i = 0; i < proof.length; i++) proof[i] = (proof[i] ?? 0) ^ (clientKey[i] ?? 0);
      signature = hmac(hmac(key, 'Server Key'), message).toString('base64');
      return base64(`${without},p=${proof.toString('base64')}`);
    },
  };
}

/** Made once for each salt: clients of the load share one, and it is dear on purpose. */
function saltedPassword(hash: 'sha1' | 'sha256', password: string, salt: string, rounds: number): Buffer {
  const name = `${hash} ${rounds} ${salt} ${password}`;
  const known = salted.get(name);
  if (known !== undefined) return known;
  const made = pbkdf2Sync(password, Buffer.from(salt, 'base64'), rounds, hash === 'sha1' ? 20 : 32, hash);
  if (salted.size > 1000) salted.clear();
  salted.set(name, made);
  return made;
}

const salted = new Map<string, Buffer>();
