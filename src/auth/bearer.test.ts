import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bearerServer, type TokenStep, type TokenVerdict } from './bearer.ts';
import { MOST_RESPONSE, TOKEN_MECHANISMS, type TokenMechanismName } from './mechanism.ts';

const bytes = (text: string): Buffer => Buffer.from(text, 'utf8');

/** What comes of one response, and what the endpoint says to it. */
function step(name: TokenMechanismName, said: string | Uint8Array, verdict: TokenVerdict): TokenStep {
  const first = bearerServer(name).begin(typeof said === 'string' ? bytes(said) : said);
  return first.kind === 'token wanted' ? first.answered(verdict) : first;
}

/** The user and the token that were read; undefined when it is malformed. */
function read(name: TokenMechanismName, said: string): string | undefined {
  const first = bearerServer(name).begin(bytes(said));
  if (first.kind !== 'token wanted') return undefined;
  const end = first.answered({ kind: 'unavailable' });
  return `${end.kind === 'denied' ? (end.user ?? '?') : end.kind} ${first.token}`;
}

const RIGHT: TokenVerdict = { kind: 'right', user: 'ann@example.com' };
const SAID = {
  XOAUTH2: 'user=ann@example.com\x01auth=Bearer t0k.en\x01\x01',
  OAUTHBEARER: 'n,a=ann@example.com,\x01host=mx.example\x01port=587\x01auth=Bearer t0k.en\x01\x01',
} as const;

describe.each(TOKEN_MECHANISMS)('%s', (name) => {
  test('the user of the token gets in, with the initial response and behind an empty challenge', () => {
    expect(step(name, SAID[name], RIGHT)).toEqual({ kind: 'granted', user: 'ann@example.com' });
    const machine = bearerServer(name);
    expect(machine.begin(undefined)).toEqual({ kind: 'challenge', bytes: new Uint8Array(0) });
    expect(machine.respond(bytes(SAID[name])).kind).toBe('token wanted');
  });

  test('somebody who names another than the token does not', () => {
    for (const user of ['bob@example.com', 'ANN@example.com', 'ann'])
      expect(step(name, SAID[name], { kind: 'right', user })).toMatchObject({
        kind: 'denied',
        user: 'ann@example.com',
        why: 'credentials',
      });
  });

  test('an endpoint that cannot be asked is told as that', () => {
    const user = 'ann@example.com';
    expect(step(name, SAID[name], { kind: 'unavailable' })).toEqual({ kind: 'denied', user, why: 'unavailable' });
  });

  test('a token that is none is refused with words, and its scopes when it has too few', () => {
    const wordsOf = (verdict: TokenVerdict): unknown => {
      const end = step(name, SAID[name], verdict);
      return end.kind === 'denied' && end.bytes !== undefined ? JSON.parse(Buffer.from(end.bytes).toString()) : end;
    };
    expect(wordsOf({ kind: 'wrong', why: 'invalid_token', scopes: [] })).toEqual(
      name === 'XOAUTH2' ? { status: '401', schemes: 'bearer' } : { status: 'invalid_token' },
    );
    expect(wordsOf({ kind: 'wrong', why: 'insufficient_scope', scopes: ['mail', 'smtp'] })).toEqual(
      name === 'XOAUTH2'
        ? { status: '401', schemes: 'bearer', scope: 'mail smtp' }
        : { status: 'insufficient_scope', scope: 'mail smtp' },
    );
  });

  test('each byte that is cut off or changed makes it malformed, or another user or token', () => {
    const said = SAID[name];
    for (let at = 0; at < said.length; at++) {
      expect(read(name, said.slice(0, at))).toBeUndefined();
      const changed = `${said.slice(0, at)}\x01${said.slice(at + 1)}`;
      if (changed !== said) expect(read(name, changed)).not.toBe('ann@example.com t0k.en');
    }
    expect(read(name, said)).toBe('ann@example.com t0k.en');
    expect(read(name, `${said}\x01`)).toBeUndefined();
  });

  test('whatever comes is malformed or a question, never a throw and never a way in', () => {
    const machine = () => bearerServer(name);
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.string({ maxLength: 100 }).map(bytes)), (said) => {
        expect(['denied', 'token wanted']).toContain(machine().begin(said).kind);
      }),
    );
    const long = bytes(SAID[name].replace('t0k', 't'.repeat(MOST_RESPONSE)));
    expect(machine().respond(long)).toEqual({ kind: 'denied', user: undefined, why: 'malformed' });
    const fits = SAID[name].replace('t0k', 't'.repeat(MOST_RESPONSE - SAID[name].length + 3));
    expect(machine().respond(bytes(fits)).kind).toBe('token wanted');
  });
});

test.each([
  ['user=a\x01auth=bearer x==\x01\x01', 'a x=='],
  ['user=jürgen\x01auth=Bearer  x\x01\x01', 'jürgen x'],
  ['user=a b,c=d\x01auth=Bearer x\x01\x01', 'a b,c=d x'],
  ['user=\x01auth=Bearer x\x01\x01', undefined],
  ['user=a\x01auth=Bearer \x01\x01', undefined],
  ['user=a\x01auth=Bearer x y\x01\x01', undefined],
  ['user=a\x01auth=Bearer x=y\x01\x01', undefined],
  ['user=a\x01auth=Basic x\x01\x01', undefined],
  ['user=a\x01auth=Bearer x\x01', undefined],
  ['user=a\x01auth=Bearer x\x01\x01\n', undefined],
  ['user=a\0\x01auth=Bearer x\x01\x01', undefined],
  ['\x01', undefined],
  ['', undefined],
])('XOAUTH2: %j is %j', (said, wanted) => {
  expect(read('XOAUTH2', said)).toBe(wanted);
});

test.each([
  ['n,,\x01auth=Bearer x\x01\x01', '? x'],
  ['y,,\x01auth=Bearer x\x01\x01', '? x'],
  ['n,a=a=2Cb=3Dc,\x01auth=Bearer x\x01\x01', 'a,b=c x'],
  ['n,,\x01AUTH=Bearer x\x01host=h\x01\x01', '? x'],
  ['p=tls-unique,,\x01auth=Bearer x\x01\x01', undefined],
  ['n,a=,\x01auth=Bearer x\x01\x01', undefined],
  ['n,a=a=2cb,\x01auth=Bearer x\x01\x01', undefined],
  ['n,a=a=b,\x01auth=Bearer x\x01\x01', undefined],
  ['n,,\x01auth=Bearer x\x01auth=Bearer y\x01\x01', undefined],
  ['n,,\x01host=h\x01\x01', undefined],
  ['n,,\x01host\x01auth=Bearer x\x01\x01', undefined],
  ['n,,auth=Bearer x\x01\x01', undefined],
  ['n,,\x01auth=\x01\x01', undefined],
  ['\x01', undefined],
])('OAUTHBEARER: %j is %j', (said, wanted) => {
  expect(read('OAUTHBEARER', said)).toBe(wanted);
});

test('OAUTHBEARER without a name lets in whoever the token is of', () => {
  expect(step('OAUTHBEARER', 'n,,\x01auth=Bearer x\x01\x01', RIGHT)).toEqual({
    kind: 'granted',
    user: 'ann@example.com',
  });
});
