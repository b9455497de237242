import type { ClientMechanism, ServerMechanism, ServerStep } from './mechanism.ts';
import { challenge, MOST_RESPONSE, malformed, response, unavailable, wrong } from './mechanism.ts';
import { textOf } from './secrets.ts';

/** PLAIN (RFC 4616): authorization identity, name and password with NUL between them. */
export function plainServer(): ServerMechanism {
  return {
    name: 'PLAIN',
    begin: (initial) => (initial === undefined ? challenge('') : judged(initial)),
    respond: judged,
  };
}

function judged(bytes: Uint8Array): ServerStep {
  if (bytes.length > MOST_RESPONSE) return malformed();
  const first = bytes.indexOf(0);
  const second = bytes.indexOf(0, first + 1);
  if (first === -1 || second === -1) return malformed();
  const as = textOf(bytes.subarray(0, first));
  const user = textOf(bytes.subarray(first + 1, second));
  const password = textOf(bytes.subarray(second + 1));
  if (as === undefined || user === undefined || user === '' || password === undefined) return malformed();
  // Nobody here may act for another.
  if (as !== '' && as !== user) return wrong(user);
  return verdictOn(user, password);
}

/** LOGIN (draft-murchison-sasl-login): two questions, of which clients look at the order only. */
export function loginServer(): ServerMechanism {
  let user: string | undefined;
  const named = (bytes: Uint8Array): ServerStep => {
    const text = bytes.length > MOST_RESPONSE ? undefined : textOf(bytes);
    if (text === undefined || text === '') return malformed();
    user = text;
    return challenge('Password:');
  };
  return {
    name: 'LOGIN',
    begin: (initial) => (initial === undefined ? challenge('Username:') : named(initial)),
    respond(bytes) {
      if (user === undefined) return named(bytes);
      const password = bytes.length > MOST_RESPONSE ? undefined : textOf(bytes);
      return password === undefined ? malformed(user) : verdictOn(user, password);
    },
  };
}

const verdictOn = (user: string, password: string): ServerStep => ({
  kind: 'verdict wanted',
  user,
  password,
  answered: (verdict) =>
    verdict === 'right' ? { kind: 'granted', user } : verdict === 'wrong' ? wrong(user) : unavailable(user),
});

export function plainClient(user: string, password: string): ClientMechanism {
  return {
    name: 'PLAIN',
    begin: () => response(`\0${user}\0${password}`),
    challenge: () => response(`\0${user}\0${password}`),
    granted: () => true,
  };
}

export function loginClient(user: string, password: string): ClientMechanism {
  let asked = 0;
  return {
    name: 'LOGIN',
    begin: () => ({ kind: 'response', bytes: undefined }),
    challenge() {
      asked++;
      if (asked > 2) return { kind: 'failed', why: 'the server asks for more than a name and a password' };
      return response(asked === 1 ? user : password);
    },
    granted: () => true,
  };
}
