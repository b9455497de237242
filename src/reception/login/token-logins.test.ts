import { describe, expect, test } from 'vitest';
import { FACTS, MailIn, type Peer, type Values } from '../../../test/dialogues/mail-in.ts';
import type { SimReply } from '../../world/sim/index.ts';
import { turnEnd } from '../../world/sim/turn.ts';

const URI = 'https://login.test/introspect';
const EXTENSIONS = ['ENHANCEDSTATUSCODES', 'AUTH PLAIN', 'AUTH XOAUTH2', 'AUTH OAUTHBEARER'];
const PARAMETERS = { uri: URI, log_authentication: 'true', scope: 'smtp', cache: '0' };
const VALUES: Values = {
  smtp_extensions: EXTENSIONS,
  authxoauth2parameters: PARAMETERS,
  authoauthbearerparameters: PARAMETERS,
  authplainparameters: { uri: 'file:///users' },
  rfc2822_missing_headers: 'allow',
};
const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');
const xoauth2 = (user: string, token: string): string =>
  `AUTH XOAUTH2 ${base64(`user=${user}\x01auth=Bearer ${token}\x01\x01`)}\r\n`;
const bearer = (user: string, token: string): string =>
  `AUTH OAUTHBEARER ${base64(`n,a=${user},\x01host=mx.test\x01port=587\x01auth=Bearer ${token}\x01\x01`)}\r\n`;
const WHY = `334 ${base64('{"status":"401","schemes":"bearer"}')}\r\n`;
const GRANTED = '235 2.7.0 Authentication successful\r\n';
const DENIED = '535 5.7.8 Authentication credentials invalid\r\n';
const LATER = '454 4.7.0 Temporary authentication failure\r\n';
const MALFORMED = '501 5.5.2 malformed authentication response\r\n';

async function asks(peer: Peer, text: string): Promise<string> {
  const said = peer.sends(text);
  await turnEnd();
  return said + peer.hears();
}

/** A server, and one that knows a token named `good`, which is ann's. */
class Ground {
  readonly house: MailIn;
  answer: ((token: string | null) => SimReply) | undefined;

  constructor(values: Values = {}) {
    this.house = new MailIn({ ...VALUES, ...values });
    this.house.web.serve(URI, ({ body }) => {
      const token = new URLSearchParams(Buffer.from(body).toString()).get('token');
      if (this.answer !== undefined) return this.answer(token);
      const claims = token === 'good' ? { active: true, username: 'ann', scope: 'smtp imap' } : { active: false };
      return { status: 200, body: JSON.stringify(claims) };
    });
  }

  peer(tls = true, ip = '192.0.2.7'): Peer {
    const peer = this.house.connect({ ip, port: 40_000 }, tls ? FACTS : undefined);
    peer.sends('EHLO client.test\r\n');
    return peer;
  }

  get logins(): readonly string[] {
    return this.house.recorded.flatMap((event) =>
      event.kind === 'accounting' ? [`${event.user} ${event.result}`] : [],
    );
  }
}

describe.each([
  ['XOAUTH2', xoauth2],
  ['OAUTHBEARER', bearer],
] as const)('%s', (name, login) => {
  test('the right token gets in, and the message says so without naming anybody', async () => {
    const ground = new Ground();
    const peer = ground.peer();
    expect(await asks(peer, login('ann', 'good'))).toBe(GRANTED);
    peer.sends('MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n');
    peer.sends('Subject: x\r\n\r\nhi\r\n.\r\n');
    const [kept] = ground.house.spool.kept;
    expect(kept?.body).toContain(`auth=pass (${name.toLowerCase()}) smtp.auth=xxxx\r\n`);
    expect(kept?.body).toContain(' with ESMTPSA id ');
    expect(kept?.envelope.context.connection).toMatchObject({
      auth_name: name,
      auth_user: 'ann',
      auth_status: 'pass',
      can_relay: 'true',
    });
    expect(ground.logins).toEqual(['ann 1']);
  });

  test('somebody who names another than the token is refused', async () => {
    const ground = new Ground();
    const peer = ground.peer();
    expect((await asks(peer, login('bob', 'good'))).slice(0, 4)).toBe('334 ');
    expect(await asks(peer, '\r\n')).toBe(DENIED);
    expect(ground.logins).toEqual(['bob 0']);
  });

  test.each<[string, SimReply]>([
    ['down', { why: 'ECONNREFUSED' }],
    ['broken', { status: 500 }],
    ['garbage', { status: 200, body: 'no' }],
  ])('an endpoint that is %s is 454 and no failure of the client, and the session goes on', async (_, reply) => {
    const ground = new Ground();
    const peer = ground.peer();
    ground.answer = () => reply;
    for (let times = 0; times < 5; times++) expect(await asks(peer, login('ann', 'good'))).toBe(LATER);
    expect(ground.house.complaints.filter((line) => line.includes('IMP_INTROSPECTION')).length).toBe(1);
    ground.answer = undefined;
    expect(await asks(peer, login('ann', 'good'))).toBe(GRANTED);
  });

  test('one that is slow is 454 when its time is up, and others are served meanwhile', async () => {
    const ground = new Ground();
    ground.answer = () => 'silence';
    const [peer, other] = [ground.peer(), ground.peer()];
    expect(await asks(peer, login('ann', 'good'))).toBe('');
    expect(await asks(other, 'NOOP\r\n')).toBe('250 2.0.0 OK\r\n');
    ground.house.clock.pass(5);
    await turnEnd();
    expect(peer.hears()).toBe(LATER);
  });

  test('the same comes of it byte by byte', async () => {
    const ground = new Ground();
    const peer = ground.peer();
    let said = '';
    for (const byte of `AUTH ${name}\r\n${login('ann', 'good').split(' ')[2]}`) said += await asks(peer, byte);
    expect(said).toBe(`334 \r\n${GRANTED}`);
  });

  test('without TLS it is neither listed nor taken, and no token is asked about', async () => {
    const ground = new Ground();
    const peer = ground.house.connect();
    expect(peer.sends('EHLO client.test\r\n')).toContain('250-AUTH PLAIN\r\n250 AUTH=PLAIN\r\n');
    const refused = '538 5.7.11 Encryption required for requested authentication mechanism\r\n';
    expect(await asks(peer, login('ann', 'good'))).toBe(refused);
    expect(ground.house.web.sent).toEqual([]);
    const encrypted = ground.house.connect(undefined, FACTS);
    expect(encrypted.sends('EHLO client.test\r\n')).toContain('250-AUTH PLAIN XOAUTH2 OAUTHBEARER\r\n');
  });

  test('unless the listener says insecure', async () => {
    const insecure = { ...PARAMETERS, insecure: 'true' };
    const ground = new Ground({ authxoauth2parameters: insecure, authoauthbearerparameters: insecure });
    const peer = ground.house.connect();
    expect(peer.sends('EHLO client.test\r\n')).toContain('250-AUTH PLAIN XOAUTH2 OAUTHBEARER\r\n');
    expect(await asks(peer, login('ann', 'good'))).toBe(GRANTED);
  });

  test('Always_Allow and Always_Deny decide without asking', async () => {
    for (const [option, said] of [
      ['always_allow', GRANTED],
      ['always_deny', DENIED],
    ] as const) {
      const ground = new Ground({ [option]: 'true' });
      expect(await asks(ground.peer(), login('ann', 'good'))).toBe(said);
      expect(ground.house.web.sent).toEqual([]);
    }
  });

  test('listed without parameters it is 454, and the paniclog says so', async () => {
    const house = new MailIn({ smtp_extensions: EXTENSIONS });
    const peer = house.connect(undefined, FACTS);
    peer.sends('EHLO client.test\r\n');
    expect(await asks(peer, login('ann', 'good'))).toBe(LATER);
    expect(house.complaints.join('\n')).toContain(`AUTH ${name}, and no parameters say where its users are`);
  });
});

test('a wrong token is told in a challenge, and 535 comes whatever the client says to it', async () => {
  for (const answer of ['\r\n', 'AQ==\r\n', `${base64('user=ann\x01auth=Bearer good\x01\x01')}\r\n`]) {
    const ground = new Ground();
    const peer = ground.peer();
    expect(await asks(peer, xoauth2('ann', 'bad'))).toBe(WHY);
    expect(await asks(peer, answer)).toBe(DENIED);
    expect(await asks(peer, 'NOOP\r\n')).toBe('250 2.0.0 OK\r\n');
    expect(await asks(peer, xoauth2('ann', 'good'))).toBe(GRANTED);
    expect(ground.logins).toEqual(['ann 0', 'ann 1']);
  }
});

test('a scope that is missing is named', async () => {
  const ground = new Ground();
  ground.answer = () => ({ status: 200, body: '{"active":true,"username":"ann","scope":"imap"}' });
  const words = '{"status":"insufficient_scope","scope":"smtp"}';
  expect(await asks(ground.peer(), bearer('ann', 'x'))).toBe(`334 ${base64(words)}\r\n`);
});

test('who cancels when he hears that it was wrong has failed all the same', async () => {
  const ground = new Ground();
  const peer = ground.peer();
  for (let times = 0; times < 2; times++) {
    expect(await asks(peer, xoauth2('ann', 'bad'))).toBe(WHY);
    expect(await asks(peer, '*\r\n')).toBe('501 5.7.0 authentication cancelled\r\n');
  }
  expect(await asks(peer, xoauth2('ann', 'bad'))).toBe('421 4.7.0 too many failed logins\r\n');
  expect(peer.ended).toBe(true);
});

test('who guesses over many connections waits for each answer, the right one too', async () => {
  const ground = new Ground();
  for (let times = 0; times < 3; times++) expect(await asks(ground.peer(), xoauth2('ann', 'bad'))).toBe(WHY);
  const peer = ground.peer();
  expect(await asks(peer, xoauth2('ann', 'bad'))).toBe('');
  ground.house.clock.pass(1);
  expect(peer.hears()).toBe(WHY);
  const other = ground.peer(true, '198.51.100.9');
  expect(await asks(other, xoauth2('ann', 'good'))).toBe('');
  ground.house.clock.pass(1);
  expect(other.hears()).toBe(GRANTED);
});

test('a client that goes while the endpoint is asked leaves nothing behind', async () => {
  const ground = new Ground();
  ground.answer = () => ({ status: 200, body: '{"active":false}', afterMillis: 1000 });
  const peer = ground.peer();
  await asks(peer, xoauth2('ann', 'x'));
  peer.hangsUp();
  ground.house.clock.pass(60);
  await turnEnd();
  expect(peer.hears()).toBe('');
});

test.each([
  ['an empty response', 'AUTH XOAUTH2 =\r\n', MALFORMED],
  ['no token', `AUTH XOAUTH2 ${base64('user=ann\x01auth=Bearer \x01\x01')}\r\n`, MALFORMED],
  ['no base64', 'AUTH OAUTHBEARER n,,\r\n', '501 5.5.2 cannot decode base64\r\n'],
])('%s: it is refused before anybody is asked', async (_, line, said) => {
  const ground = new Ground();
  expect(await asks(ground.peer(), line)).toBe(said);
  expect(ground.house.web.sent).toEqual([]);
});

test('a bug of ours costs the login and not the session, and fills no log', async () => {
  const ground = new Ground();
  ground.answer = () => {
    throw new Error('ours');
  };
  const peer = ground.peer();
  for (let times = 0; times < 3; times++) expect(await asks(peer, xoauth2('ann', 'good'))).toBe(LATER);
  expect(ground.house.complaints).toEqual(['ERROR auth: a login failed for a reason of ours: ours']);
});
