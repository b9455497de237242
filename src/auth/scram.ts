import type { ClientMechanism, ClientStep, ServerMechanism, ServerStep } from './mechanism.ts';
import { challenge, MOST_RESPONSE, malformed, response, unavailable, wrong } from './mechanism.ts';
import { saslprep } from './saslprep.ts';
import { ITERATIONS, type ScramSecret } from './scram-secret.ts';
import { fromBase64, hmacSha256, sameSecret, sha256, textOf } from './secrets.ts';

/**
 * SCRAM-SHA-256 (RFC 5802, RFC 7677), without channel binding. The server compares StoredKey: it needs no PBKDF2.
 *
 * @param nonce  the server's part: printable, without comma, never used before
 */
export function scramServer(nonce: string): ServerMechanism {
  let first: ClientFirst | undefined;
  let finish: ((bytes: Uint8Array) => ServerStep) | undefined;

  function opened(bytes: Uint8Array): ServerStep {
    first = readClientFirst(bytes);
    if (first === undefined) return malformed();
    const { user, authorization, bare, header } = first;
    if (authorization !== undefined && authorization !== user) return wrong(user);
    const whole = `${first.nonce}${nonce}`;
    return {
      kind: 'scram wanted',
      user,
      answered(found) {
        if (found.kind === 'unavailable') return unavailable(user);
        const secret = found.kind === 'known' ? found.secret : found.decoy;
        const offer = `r=${whole},s=${Buffer.from(secret.salt).toString('base64')},i=${secret.iterations}`;
        finish = (last) => closed(last, { user, header, whole, sofar: `${bare},${offer}`, secret }, found.kind);
        return challenge(offer);
      },
    };
  }

  return {
    name: 'SCRAM-SHA-256',
    begin: (initial) => (initial === undefined ? challenge('') : opened(initial)),
    respond: (bytes) => (finish === undefined ? opened(bytes) : finish(bytes)),
  };
}

interface ClientFirst {
  readonly header: string;
  readonly authorization: string | undefined;
  readonly bare: string;
  readonly user: string;
  readonly nonce: string;
}

/** `n,,n=user,r=nonce`: no binding (`n`), or a client that could bind if we could (`y`). */
function readClientFirst(bytes: Uint8Array): ClientFirst | undefined {
  const text = bytes.length > MOST_RESPONSE ? undefined : textOf(bytes);
  const parts = /^([ny],(?:a=([^,]+))?,)(n=([^,]+),r=([\x21-\x2b\x2d-\x7e]+)(?:,.*)?)$/s.exec(text ?? '');
  const [, header, as, bare, name, nonce] = parts ?? [];
  const user = saslname(name);
  if (header === undefined || bare === undefined || nonce === undefined || user === undefined) return undefined;
  if (as === undefined) return { header, authorization: undefined, bare, user, nonce };
  const authorization = saslname(as);
  return authorization === undefined ? undefined : { header, authorization, bare, user, nonce };
}

/** `=2C` is a comma and `=3D` an equals sign; no other `=` may stand there (RFC 5802 §5.1). */
export function saslname(written: string | undefined): string | undefined {
  if (written === undefined || /=(?!2C|3D)/.test(written)) return undefined;
  const name = saslprep(written.replaceAll('=2C', ',').replaceAll('=3D', '='));
  return name === '' ? undefined : name;
}

interface Opened {
  readonly user: string;
  readonly header: string;
  readonly whole: string;
  /** client-first-message-bare and server-first-message, with the comma between them. */
  readonly sofar: string;
  readonly secret: ScramSecret;
}

function closed(
  bytes: Uint8Array,
  { user, header, whole, sofar, secret }: Opened,
  who: 'known' | 'unknown',
): ServerStep {
  const text = bytes.length > MOST_RESPONSE ? undefined : textOf(bytes);
  const parts = /^(c=([^,]+),r=([^,]+)(?:,[^,]*)*),p=([^,]+)$/s.exec(text ?? '');
  const [, unproved, binding, nonce, written] = parts ?? [];
  const proof = fromBase64(written ?? '');
  if (unproved === undefined || proof === undefined) return malformed(user);
  if (binding !== Buffer.from(header).toString('base64') || nonce !== whole) return wrong(user);
  const message = `${sofar},${unproved}`;
  // ClientKey = ClientProof XOR ClientSignature; its hash is what is stored.
  const clientKey = xor(proof, hmacSha256(secret.storedKey, message));
  const fits = sameSecret(sha256(clientKey), secret.storedKey);
  if (!fits || who !== 'known' || proof.length !== 32) return wrong(user);
  return {
    kind: 'granted',
    user,
    bytes: Buffer.from(`v=${hmacSha256(secret.serverKey, message).toString('base64')}`),
  };
}

/** @param nonce  the client's part, as the server's */
export function scramClient(user: string, password: string, nonce: string): ClientMechanism {
  const bare = `n=${(saslprep(user) ?? user).replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${nonce}`;
  let step = 0;
  let signature: string | undefined;
  return {
    name: 'SCRAM-SHA-256',
    begin: () => response(`n,,${bare}`),
    challenge(bytes): ClientStep {
      const text = bytes.length > MOST_RESPONSE ? '' : (textOf(bytes) ?? '');
      const parts = /^r=([\x21-\x2b\x2d-\x7e]+),s=([^,]+),i=([1-9]\d{0,8})(?:,.*)?$/s.exec(text);
      const [, whole, written, count] = parts ?? [];
      const salt = fromBase64(written ?? '');
      const iterations = Number(count);
      if (step++ > 0 || whole === undefined || salt === undefined) return failed('this is no challenge of SCRAM');
      if (!whole.startsWith(nonce) || whole === nonce) return failed('the server has not used our nonce');
      if (iterations < ITERATIONS.least || iterations > ITERATIONS.most)
        return failed(`the server wants ${iterations} iterations, outside of what is safe`);
      const unproved = `c=biws,r=${whole}`;
      const message = `${bare},${text},${unproved}`;
      return {
        kind: 'derivation',
        password: Buffer.from(saslprep(password) ?? password),
        salt,
        iterations,
        derived(salted) {
          const clientKey = hmacSha256(salted, 'Client Key');
          const proof = xor(clientKey, hmacSha256(sha256(clientKey), message));
          signature = hmacSha256(hmacSha256(salted, 'Server Key'), message).toString('base64');
          return response(`${unproved},p=${proof.toString('base64')}`);
        },
      };
    },
    granted(bytes) {
      const given = /^v=([^,]+)/.exec(bytes === undefined ? '' : (textOf(bytes) ?? ''))?.[1];
      return signature !== undefined && given !== undefined && sameSecret(given, signature);
    },
  };
}

const failed = (why: string): ClientStep => ({ kind: 'failed', why });

const xor = (one: Uint8Array, other: Uint8Array): Buffer => Buffer.from(one.map((byte, at) => byte ^ (other[at] ?? 0)));
