import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { simWorld } from '../world/sim/index.ts';
import { cramClient, cramServer } from './cram-md5.ts';
import { readDirectives } from './digest-directives.ts';
import { digestClient, digestOf, digestServer } from './digest-md5.ts';
import type { ClientMechanism, ClientStep, Found, ServerMechanism, ServerStep, Verdict } from './mechanism.ts';
import { loginClient, loginServer, plainClient, plainServer } from './plain.ts';
import { saslprep } from './saslprep.ts';
import { scramClient, scramServer } from './scram.ts';
import { readScram, type ScramSecret, scramSecret, scramText } from './scram-secret.ts';

const { hashing } = simWorld();
const bytes = (text: string): Uint8Array => Buffer.from(text);
const text = (step: ServerStep | ClientStep): string =>
  'bytes' in step && step.bytes !== undefined ? Buffer.from(step.bytes).toString() : step.kind;

function asked<K extends ServerStep['kind']>(step: ServerStep, kind: K): Extract<ServerStep, { readonly kind: K }> {
  if (step.kind !== kind) throw new Error(`${kind} was expected, not ${step.kind}`);
  return step as Extract<ServerStep, { readonly kind: K }>;
}

const saltOf = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
async function scramOf(password: string, salt: Uint8Array = saltOf, iterations = 4096): Promise<ScramSecret> {
  return scramSecret(await hashing.pbkdf2(bytes(password), salt, iterations), salt, iterations);
}

/** Lets both ends talk. `known` is what the server has of the one user, undefined for one that it does not know. */
async function talk(
  client: ClientMechanism,
  server: ServerMechanism,
  known: { readonly password: string; readonly scram?: ScramSecret } | undefined,
): Promise<{ readonly end: ServerStep | ClientStep; readonly proved: boolean }> {
  const found = <T>(secret: (password: string) => T): Found<T> =>
    known === undefined
      ? { kind: 'unknown', decoy: secret('decoy') }
      : { kind: 'known', secret: secret(known.password) };
  const decoy = await scramOf('decoy');
  const answered = (first: ServerStep): ServerStep => {
    let step = first;
    for (;;) {
      if (step.kind === 'verdict wanted') {
        const verdict: Verdict = known?.password === step.password ? 'right' : 'wrong';
        step = step.answered(verdict);
      } else if (step.kind === 'password wanted') step = step.answered(found((password) => password));
      else if (step.kind === 'digest wanted') {
        const { user, realm } = step;
        step = step.answered(found((password) => digestOf(user, realm, password)));
      } else if (step.kind === 'scram wanted') step = step.answered(found(() => known?.scram ?? decoy));
      else return step;
    }
  };
  const derived = async (first: ClientStep): Promise<ClientStep> => {
    let step = first;
    while (step.kind === 'derivation')
      step = step.derived(await hashing.pbkdf2(step.password, step.salt, step.iterations));
    return step;
  };
  const opening = await derived(client.begin());
  let said = answered(server.begin(opening.kind === 'response' ? opening.bytes : undefined));
  for (let turn = 0; turn < 10; turn++) {
    if (said.kind === 'granted') return { end: said, proved: client.granted(said.bytes) };
    if (said.kind !== 'challenge') return { end: said, proved: false };
    const answer = await derived(client.challenge(said.bytes));
    if (answer.kind !== 'response') return { end: answer, proved: false };
    said = answered(server.respond(answer.bytes ?? new Uint8Array(0)));
  }
  throw new Error('they talk for ever');
}

describe('the examples of the RFCs', () => {
  test('CRAM-MD5: RFC 2195 §2', () => {
    const challenge = '<1896.697170952@postoffice.reston.mci.net>';
    const server = cramServer(challenge);
    expect(text(server.begin(undefined))).toBe(challenge);
    const answer = text(cramClient('tim', 'tanstaaftanstaaf').challenge(bytes(challenge)));
    expect(answer).toBe('tim b913a602c7eda7a495b4e6e7334d3890');
    const step = asked(server.respond(bytes(answer)), 'password wanted');
    expect(step.answered({ kind: 'known', secret: 'tanstaaftanstaaf' })).toEqual({ kind: 'granted', user: 'tim' });
    expect(step.answered({ kind: 'known', secret: 'other' })).toMatchObject({ kind: 'denied', why: 'credentials' });
  });

  test('DIGEST-MD5: RFC 2831 §4', () => {
    const client = digestClient('chris', 'secret', 'imap/elwood.innosoft.com', 'OA6MHXh6VqTrRk');
    const answer = text(
      client.challenge(
        bytes('realm="elwood.innosoft.com",nonce="OA6MG9tEQGm2hh",qop="auth",algorithm=md5-sess,charset=utf-8'),
      ),
    );
    expect(answer).toContain('response=d388dad90d4bbd760a152321f2143af7');
    const server = digestServer({ realm: 'elwood.innosoft.com', nonce: 'OA6MG9tEQGm2hh', service: 'imap' });
    const step = asked(server.respond(bytes(answer)), 'digest wanted');
    const granted = step.answered({ kind: 'known', secret: digestOf('chris', 'elwood.innosoft.com', 'secret') });
    expect(text(granted)).toBe('rspauth=ea40f60335c427b5527b84dbabcdfffd');
    expect(client.granted(bytes('rspauth=ea40f60335c427b5527b84dbabcdfffd'))).toBe(true);
    expect(client.granted(bytes('rspauth=ea40f60335c427b5527b84dbabcdfffe'))).toBe(false);
    expect(client.granted(undefined)).toBe(false);
  });

  test('SCRAM-SHA-256: RFC 7677 §3', async () => {
    const server = scramServer('%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0');
    const client = scramClient('user', 'pencil', 'rOprNGfwEbeRWgbNEkqO');
    expect(text(client.begin())).toBe('n,,n=user,r=rOprNGfwEbeRWgbNEkqO');
    const secret = await scramOf('pencil');
    const first = asked(server.begin(bytes('n,,n=user,r=rOprNGfwEbeRWgbNEkqO')), 'scram wanted').answered({
      kind: 'known',
      secret,
    });
    expect(text(first)).toBe('r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096');
    const derivation = client.challenge(bytes(text(first)));
    if (derivation.kind !== 'derivation') throw new Error(derivation.kind);
    const last = text(derivation.derived(await hashing.pbkdf2(derivation.password, derivation.salt, 4096)));
    expect(last).toBe(
      'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
    );
    expect(text(server.respond(bytes(last)))).toBe('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=');
    expect(client.granted(bytes('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='))).toBe(true);
    expect(client.granted(bytes('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G5='))).toBe(false);
    expect(readScram(scramText(secret))).toEqual({ ...secret, salt: Buffer.from(secret.salt) });
  });

  test.each([
    ['I\u00adX', 'IX'],
    ['user', 'user'],
    ['USER', 'USER'],
    ['\u00aa', 'a'],
    ['\u2168', 'IX'],
    ['a\u00a0b', 'a b'],
    ['\u0007', undefined],
    ['\u0627\u0031', undefined],
    ['\u0627\u0031\u0628', '\u0627\u0031\u0628'],
    ['a\u0627', undefined],
  ])('SASLprep: RFC 4013 §3, %j', (given, wanted) => {
    expect(saslprep(given)).toBe(wanted);
  });
});

const pairs: readonly (readonly [
  string,
  (user: string, password: string) => ClientMechanism,
  () => ServerMechanism,
])[] = [
  ['LOGIN', loginClient, loginServer],
  ['PLAIN', plainClient, plainServer],
  ['CRAM-MD5', cramClient, () => cramServer('<1@mx.example>')],
  [
    'DIGEST-MD5',
    (user, password) => digestClient(user, password, 'smtp/mx.example', 'cn'),
    () => digestServer({ realm: 'a "realm" \\', nonce: 'n1', service: 'smtp' }),
  ],
  ['SCRAM-SHA-256', (user, password) => scramClient(user, password, 'cn'), () => scramServer('sn')],
];

describe.each(pairs)('%s', (_name, client, server) => {
  test('the right password gets in, also with quotes, commas and other scripts', async () => {
    for (const [user, password] of [
      ['fred', 'secret'],
      ['o"neil=,', 'pass:w,=\\"ord '],
      ['jürgen', 'пароль'],
    ] as const) {
      const known = { password, scram: await scramOf(saslprep(password) ?? password) };
      expect(await talk(client(user, password), server(), known)).toMatchObject({
        end: { kind: 'granted', user },
        proved: true,
      });
    }
  });

  test('a wrong password and a user that does not exist end in the same way', async () => {
    const known = { password: 'secret', scram: await scramOf('secret') };
    const wrong = await talk(client('fred', 'Secret'), server(), known);
    const nobody = await talk(client('fred', 'Secret'), server(), undefined);
    expect(wrong).toEqual({ end: { kind: 'denied', user: 'fred', why: 'credentials' }, proved: false });
    expect(nobody).toEqual(wrong);
  });

  test('a decoy that somebody guesses does not let him in', async () => {
    expect(await talk(client('fred', 'decoy'), server(), undefined)).toMatchObject({ end: { kind: 'denied' } });
  });

  test('a store that is unavailable is told as that', async () => {
    const one = client('fred', 'x');
    const first = one.begin();
    const machine = server();
    let step = machine.begin(first.kind === 'response' ? first.bytes : undefined);
    for (let turn = 0; turn < 3 && step.kind === 'challenge'; turn++) {
      const answer = one.challenge(step.bytes);
      step = machine.respond((answer.kind === 'response' ? answer.bytes : undefined) ?? new Uint8Array(0));
    }
    const told =
      step.kind === 'verdict wanted'
        ? step.answered('unavailable')
        : step.kind === 'password wanted' || step.kind === 'digest wanted' || step.kind === 'scram wanted'
          ? step.answered({ kind: 'unavailable' })
          : step;
    expect(told).toEqual({ kind: 'denied', user: 'fred', why: 'unavailable' });
  });

  test('garbage is refused, never thrown at', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { minLength: 1, maxLength: 4 }), (words) => {
        const machine = server();
        let step = machine.begin(words[0]);
        for (const word of words.slice(1)) {
          if (step.kind === 'challenge') step = machine.respond(word);
          else if (step.kind === 'scram wanted') step = step.answered({ kind: 'unavailable' });
        }
        expect(step.kind).not.toBe('granted');
      }),
    );
    expect(server().respond(new Uint8Array(10_000))).toMatchObject({ kind: 'denied', why: 'malformed' });
  });
});

describe('DIGEST-MD5', () => {
  const terms = { realm: 'r', nonce: 'n1', service: 'smtp' };
  const answer = (uri = 'smtp/h', nonce = 'n1'): string =>
    text(
      digestClient('fred', 'secret', uri, 'cn').challenge(
        bytes(`realm="r",nonce="${nonce}",qop="auth",algorithm=md5-sess,charset=utf-8`),
      ),
    );
  test.each([
    ['a nonce of another conversation', answer('smtp/h', 'n2'), 'credentials'],
    ['a second use of the nonce', answer().replace('nc=00000001', 'nc=00000002'), 'credentials'],
    ['another service', answer('imap/h'), 'malformed'],
    ['another protection than auth', answer().replace('qop=auth', 'qop=auth-int'), 'malformed'],
    ['another realm', answer().replace('realm="r"', 'realm="s"'), 'malformed'],
    ['a directive twice', `${answer()},nonce="n1"`, 'malformed'],
    ['somebody else to act for', `${answer()},authzid="root"`, 'credentials'],
  ])('%s is refused', (_what, said, why) => {
    expect(digestServer(terms).respond(bytes(said))).toMatchObject({ kind: 'denied', why });
  });

  test('directives are read with blanks, empty elements and quoted pairs', () => {
    expect([...(readDirectives(' a=1 ,, B = "x\\"y" ,a="2"') ?? [])]).toEqual([
      ['a', ['1', '2']],
      ['b', ['x"y']],
    ]);
    for (const bad of ['a', 'a=', 'a="x', 'a=1 b=2', '=1', 'a=1,'.repeat(65)])
      expect(readDirectives(bad)).toBeUndefined();
  });
});

describe('SCRAM', () => {
  test.each([
    ['p=tls-unique,,n=u,r=c', 'channel binding, which is not offered'],
    ['n,,m=ext,n=u,r=c', 'an extension that must be understood'],
    ['n,,n=a=b,r=c', 'an equals sign that is not escaped'],
    ['n,,n=\u0007,r=c', 'a control character in the name'],
    ['n,,n=,r=c', 'an empty name'],
  ])('%s is refused: %s', (first) => {
    expect(scramServer('s').begin(bytes(first))).toMatchObject({ kind: 'denied', why: 'malformed' });
  });

  test('a client does not believe a server that asks for too little work, or for too much', () => {
    for (const [challenge, why] of [
      ['r=cs,s=AAAA,i=1', /1 iterations/],
      ['r=cs,s=AAAA,i=100000000', /100000000 iterations/],
      ['r=xs,s=AAAA,i=4096', /our nonce/],
      ['r=c,s=AAAA,i=4096', /our nonce/],
      ['e=other-error', /no challenge/],
    ] as const)
      expect(scramClient('u', 'p', 'c').challenge(bytes(challenge))).toEqual({
        kind: 'failed',
        why: expect.stringMatching(why),
      });
  });

  test.each([
    'SCRAM-SHA-256$1:AAAA$x:y',
    'SCRAM-SHA-256$4096:$AAAA:AAAA',
    'SCRAM-SHA-1$4096:AAAA$AAAA:AAAA',
    'SCRAM-SHA-256$99999999:AAAA$AAAA:AAAA',
    '',
  ])('%j is no line of a SCRAM file', (line) => {
    expect(readScram(line)).toBeUndefined();
  });
});
