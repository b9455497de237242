import { pbkdf2Sync } from 'node:crypto';
import {
  type ClientMechanism,
  type ClientStep,
  cramClient,
  digestClient,
  digestOf,
  loginClient,
  MECHANISMS,
  type MechanismName,
  plainClient,
  type ServerStep,
  scramClient,
  scramSecret,
  scramText,
  serverMechanism,
  TOKEN_MECHANISMS,
} from '../../../src/auth/index.ts';
import { turnEnd } from '../../../src/world/sim/turn.ts';
import { MailIn, type Values } from '../../dialogues/mail-in.ts';
import type { Dice } from '../../sim/dice.ts';
import { type Cut, cutsFor, type FuzzTarget, latin } from '../target.ts';

/** The one user, whose password or token opens the first house and not the second. */
const USER = 'ann';
const SECRET = 'secret';
const TOKEN = 'go.od';
const OTHER = 'neither-said-nor-guessed-c0ffee5eed';
const SALT = Buffer.from('salt of a server');
const ROUNDS = 4096;
const URI = 'http://127.0.0.1/introspect';

const derive = (password: Uint8Array, salt: Uint8Array): Buffer => pbkdf2Sync(password, salt, ROUNDS, 32, 'sha256');
const scramOf = (password: string) => scramSecret(derive(Buffer.from(password), SALT), SALT, ROUNDS);

/** Both houses have the same users and the same challenges: whatever gets as far as a proof does so in both. */
function house(password: string): MailIn {
  const token = { uri: URI, insecure: 'true', cache: '0' };
  const values: Values = {
    enable_authentication: 'true',
    rfc2822_missing_headers: 'allow',
    smtp_extensions: ['ENHANCEDSTATUSCODES', ...[...MECHANISMS, ...TOKEN_MECHANISMS].map((name) => `AUTH ${name}`)],
    authplainparameters: { uri: 'file:///users' },
    authloginparameters: { uri: 'digest:///digests' },
    authcrammd5parameters: { uri: 'file:///users' },
    authdigestmd5parameters: { uri: 'file:///users', stored_cleartext: 'true' },
    authscramsha256parameters: { uri: 'scram:///scrams' },
    authxoauth2parameters: token,
    authoauthbearerparameters: token,
  };
  const files = new Map([
    ['/users', `${USER}:${password}\n`],
    ['/digests', `${USER}:r:${digestOf(USER, 'r', password)}\n`],
    ['/scrams', `${USER}:${password === SECRET ? RIGHT_LINE : WRONG_LINE}\n`],
  ]);
  const made = new MailIn(values, files);
  made.web.serve(URI, ({ body }) => {
    const form = new URLSearchParams(Buffer.from(body).toString());
    const active = password === SECRET && form.get('token') === TOKEN;
    return { status: 200, body: JSON.stringify({ active, username: USER }) };
  });
  return made;
}
const RIGHT_LINE = scramText(scramOf(SECRET));
const WRONG_LINE = scramText(scramOf(OTHER));

/** What a client sends to get in: `~` stands before what goes out as base64. */
function exchange(name: MechanismName, client: ClientMechanism): string {
  const server = serverMechanism(name, {
    realm: 'mx.test',
    service: 'smtp',
    hostName: 'mx.test',
    random: Buffer.alloc(18, 7),
  });
  const own = (step: ClientStep): Uint8Array | undefined => {
    if (step.kind === 'derivation') return own(step.derived(derive(step.password, step.salt)));
    return step.kind === 'response' ? step.bytes : undefined;
  };
  const answered = (step: ServerStep): ServerStep => {
    if (step.kind === 'verdict wanted') return step.answered('right');
    if (step.kind === 'password wanted') return step.answered({ kind: 'known', secret: SECRET });
    if (step.kind === 'digest wanted')
      return step.answered({ kind: 'known', secret: digestOf(step.user, step.realm, SECRET) });
    return step.kind === 'scram wanted' ? step.answered({ kind: 'known', secret: scramOf(SECRET) }) : step;
  };
  const line = (bytes: Uint8Array | undefined): string => `~${Buffer.from(bytes ?? []).toString('latin1')}`;
  const first = own(client.begin());
  let said = `AUTH ${name}${first === undefined ? '' : ` ${line(first)}`}\n`;
  let step = answered(server.begin(first));
  for (let turn = 0; turn < 5 && step.kind === 'challenge'; turn++) {
    const bytes = own(client.challenge(step.bytes));
    said += `${line(bytes)}\n`;
    step = answered(server.respond(bytes ?? new Uint8Array(0)));
  }
  // The server's proof comes as one more challenge.
  return step.kind === 'granted' && step.bytes !== undefined ? `${said}\n` : said;
}

const clients: readonly ((user: string, password: string) => string)[] = [
  (user, password) => exchange('PLAIN', plainClient(user, password)),
  (user, password) => `AUTH PLAIN\n~\0${user}\0${password}\n`,
  (user, password) => exchange('LOGIN', loginClient(user, password)),
  (user, password) => exchange('CRAM-MD5', cramClient(user, password)),
  (user, password) => exchange('DIGEST-MD5', digestClient(user, password, 'smtp/mx.test', 'cn')),
  (user, password) => exchange('SCRAM-SHA-256', scramClient(user, password, 'cn')),
];
const bearers: readonly ((user: string, token: string) => string)[] = [
  (user, token) => `AUTH XOAUTH2 ~user=${user}\x01auth=Bearer ${token}\x01\x01\n`,
  (user, token) => `AUTH OAUTHBEARER ~n,a=${user},\x01host=mx.test\x01port=25\x01auth=Bearer ${token}\x01\x01\n`,
  (_, token) => `AUTH OAUTHBEARER\n~n,,\x01auth=Bearer ${token}\x01\x01\n`,
];

/** One for each way to get in, right and wrong. */
const RIGHT = [...clients.map((said) => said(USER, SECRET)), ...bearers.map((said) => said(USER, TOKEN))];
const WRONG = [
  ...clients.flatMap((said) => [said(USER, 'guess'), said('bob', SECRET)]),
  ...bearers.slice(0, 2).flatMap((said) => [`${said(USER, 'guess')}\n`, `${said('bob', TOKEN)}\n`]),
];

/** What goes over the wire: lines end with CRLF, and what stands behind `~` is encoded. */
export function wireOf(input: Buffer): Buffer {
  const lines: Buffer[] = [];
  for (let from = 0; from < input.length; ) {
    const lf = input.indexOf(10, from);
    const line = input.subarray(from, lf === -1 ? input.length : lf);
    const mark = line.indexOf('~');
    const said = mark === -1 ? line : [line.subarray(0, mark), latin(line.subarray(mark + 1).toString('base64'))];
    lines.push(...[said].flat(), latin('\r\n'));
    from = lf === -1 ? input.length : lf + 1;
  }
  return Buffer.concat(lines);
}

/** All that a house says to a stream, and what it must never do. */
export async function conversation(
  password: string,
  wire: Buffer,
  cut: Cut,
): Promise<{ readonly said: string; readonly trouble: string | undefined }> {
  const made = house(password);
  const peer = made.connect();
  for (const part of cut(wire)) {
    peer.host?.data(Buffer.from(part));
    made.clock.turn();
  }
  // Answers come with promises, and those of somebody who guesses come late.
  for (let idle = 0, heard = -1; idle < 2 && !peer.ended; ) {
    await turnEnd();
    made.clock.turn();
    if (heard !== peer.writes.length) idle = 0;
    else if (++idle === 1) made.clock.pass(20);
    heard = peer.writes.length;
  }
  const said = peer.writes.join('');
  if (!peer.ended) peer.hangsUp();
  made.clock.turn();
  await turnEnd();
  return { said, trouble: troubleOf(made, said) };
}

function troubleOf(made: MailIn, said: string): string | undefined {
  if (made.complaints.length > 0) return made.complaints[0];
  if (made.slotsGivenBack !== 1) return `its place was given back ${made.slotsGivenBack} times`;
  if (made.clock.pending > 0) return `${made.clock.pending} timers are left`;
  if (!/^(?:\d{3}[ -][\x20-\x7e]*\r\n)+$/.test(said)) return `no replies: ${JSON.stringify(said.slice(-200))}`;
  for (const [, challenge = ''] of said.matchAll(/^334 (.*)\r$/gm))
    if (Buffer.from(challenge, 'base64').toString('base64') !== challenge) return `no challenge: ${challenge}`;
  return undefined;
}

const granted = (said: string): boolean => /^(?:235 |250 2\.1\.0 )/m.test(said);

export const sasl: FuzzTarget = {
  name: 'sasl',
  about: 'AUTH by every mechanism: the same whatever the cut, nothing left behind, nobody gets in without the secret',
  words: [
    ...[...MECHANISMS, ...TOKEN_MECHANISMS].map((name) => `AUTH ${name}`),
    'AUTH PLAIN =\n',
    '\n',
    '*\n',
    '~',
    '=',
    '\0',
    '\x01',
    USER,
    SECRET,
    TOKEN,
    'user=',
    'auth=Bearer ',
    'n,,',
    'n,a=ann,',
    'n=ann,r=',
    ',p=',
    'c=biws',
    'response=',
    'username="ann"',
    'authzid="ann"',
    'MAIL FROM:<a@example.com>\n',
    'EHLO x\n',
    'RSET\n',
  ],
  generate(dice: Dice): Buffer {
    let text = 'EHLO client.test\n';
    for (let logins = dice.between(1, 4); logins > 0; logins--) text += dice.of(dice.happens(0.4) ? RIGHT : WRONG);
    return latin(`${text}MAIL FROM:<a@example.com>\n`);
  },
  async check(input) {
    const wire = wireOf(input);
    const first: string[] = [];
    for (const cut of cutsFor(input)) {
      const { said, trouble } = await conversation(SECRET, wire, cut);
      if (trouble !== undefined) return trouble;
      first.push(said);
    }
    if (new Set(first).size > 1) return `cut otherwise it differs: ${first.map((said) => said.length).join(', ')}`;
    const other = await conversation(OTHER, wire, (bytes) => [bytes]);
    if (granted(other.said)) return `somebody got in: ${JSON.stringify(other.said.slice(-200))}`;
    return other.trouble;
  },
};

/** For the test that these do get in: else the rules above would hold for nothing. */
export const soundLogins: readonly string[] = RIGHT;

const MOST_ANSWER = 20_000;

/** The other end: what a hostile server says to our clients. The first byte chooses which. */
export const saslClient: FuzzTarget = {
  name: 'sasl-client',
  about: "the client's end: no exception, answers within bounds, no server is believed that has not proved itself",
  words: ['realm="r"', 'nonce="', 'qop="auth"', 'algorithm=md5-sess', 'rspauth=', 'r=cn', ',s=', ',i=4096', 'v=', 'e='],
  generate(dice: Dice): Buffer {
    const challenges = [
      'realm="r",nonce="n",qop="auth",charset=utf-8,algorithm=md5-sess',
      'rspauth=d41d8cd98f00b204e9800998ecf8427e',
      `r=cnserver,s=${SALT.toString('base64')},i=4096`,
      'v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
      '<1.2@mx.test>',
      'Username:',
    ];
    const lines = Array.from({ length: dice.between(1, 4) }, () => dice.of(challenges));
    return Buffer.concat([Buffer.of(dice.between(0, 4)), latin(lines.join('\n'))]);
  },
  check(input) {
    const makers = [plainClient, loginClient, cramClient];
    const choice = (input[0] ?? 0) % 5;
    const client =
      makers[choice]?.(USER, SECRET) ??
      (choice === 3 ? digestClient(USER, SECRET, 'smtp/mx.test', 'cn') : scramClient(USER, SECRET, 'cn'));
    const proves = choice >= 3;
    let step = client.begin();
    let from = 1;
    for (let turn = 0; turn < 10 && from <= input.length; turn++) {
      // Whoever wants a key gets one that no password makes: its server cannot know it either.
      if (step.kind === 'derivation') step = step.derived(Buffer.alloc(32, 1));
      if (step.kind === 'failed') return undefined;
      if (step.kind === 'response' && (step.bytes?.length ?? 0) > MOST_ANSWER) return `${step.bytes?.length} bytes`;
      const lf = input.indexOf(10, from);
      const challenge = input.subarray(from, lf === -1 ? input.length : lf);
      if (client.granted(challenge) && proves) return 'a server is believed that has proved nothing';
      step = client.challenge(challenge);
      from = lf === -1 ? input.length + 1 : lf + 1;
    }
    return undefined;
  },
};
