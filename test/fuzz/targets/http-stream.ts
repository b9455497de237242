import { CODES } from '../../../src/http/index.ts';
import { answersIn, HttpRoom } from '../../support/http-room.ts';
import { testRoutes } from '../../support/http-routes.ts';
import { type Cut, cutsFor, type FuzzTarget, latin } from '../target.ts';

/** What a client hears that says all of it and then no more. Throws what rule an answer breaks. */
async function heard(room: HttpRoom, input: Buffer, cut: Cut): Promise<string> {
  const client = room.client();
  for (const part of cut(input)) client.says(part);
  client.pipe.end();
  await room.world.clock.advance(1000);
  if (!client.closed) throw new Error('the connection stays open');
  const bytes = Buffer.from(client.heard, 'latin1');
  // What was asked by HEAD cannot be told from here: an answer without its body.
  if (/HEAD/.test(input.toString('latin1'))) return client.heard.replace(/^date: .*\r$/gim, '');
  const answers = answersIn(bytes);
  for (const { status, text } of answers) {
    if (status >= 500 && status !== 501 && status !== 505) throw new Error(`${status} ${text}`);
    if (status < 400) continue;
    const { errors } = JSON.parse(text) as { errors: readonly { code: string; description: string }[] };
    if (errors.some(({ code, description }) => !Object.hasOwn(CODES, code) || typeof description !== 'string'))
      throw new Error(`an envelope ${text}`);
  }
  return answers.map(({ status, text }) => `${status} ${text}`).join('\n');
}

const LINES = [
  'Host: a',
  'Host: b',
  'Content-Type: application/json',
  'Content-Length: 12',
  'Content-Length: 0',
  'Transfer-Encoding: chunked',
  'Connection: close',
  'Connection: keep-alive',
  'Expect: 100-continue',
  'Content-Encoding: gzip',
  'Accept-Encoding: gzip',
  'Upgrade: websocket',
  'Authorization: Basic YTpi',
  'X: y',
] as const;

export const httpStream: FuzzTarget = {
  name: 'http-stream',
  about: 'bytes of any kind as HTTP: sound envelopes, the same answers however they come, and an end',
  words: [
    ...LINES,
    '\r\n',
    '\n',
    '\r',
    '\r\n\r\n',
    '0\r\n\r\n',
    'c\r\n',
    '{"name":"x"}',
    'GET /hello/x HTTP/1.1\r\nHost: a\r\n\r\n',
    'POST /echo HTTP/1.1\r\n',
    'HTTP/1.0',
    'HTTP/2.0',
    'OPTIONS * ',
    'CONNECT a:25 ',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    ': ',
    ' ',
    '\t',
    '%00',
    '%2f',
    '%',
    '?',
    '#',
  ],
  generate(dice) {
    let text = '';
    for (let count = dice.between(1, 4); count > 0; count--) {
      const method = dice.of(['GET', 'GET', 'POST', 'POST', 'DELETE', 'PUT', 'OPTIONS']);
      const path = dice.of(['/hello/x', '/hello/x?times=2', '/echo', '/echo', '/large', '/nothing', '/hello/%41']);
      text += `${method} ${path} HTTP/${dice.weighted({ '1.1': 9, '1.0': 1 })}\r\nHost: a\r\n`;
      for (let lines = dice.between(0, 2); lines > 0; lines--) text += `${dice.of(LINES)}\r\n`;
      const body = dice.happens(0.5) ? dice.of(['length', 'chunks'] as const) : undefined;
      if (body === undefined) text += '\r\n';
      else if (body === 'length') text += 'Content-Length: 12\r\n\r\n{"name":"x"}';
      else text += 'Transfer-Encoding: chunked\r\n\r\n5\r\n{"nam\r\n7;x=y\r\ne":"x"}\r\n0\r\n\r\n';
    }
    return latin(text);
  },
  async check(input) {
    const room = await HttpRoom.open({ routes: testRoutes });
    const [whole, , random] = cutsFor(input);
    if (whole === undefined || random === undefined) throw new Error('no cuts');
    const [one, other] = [await heard(room, input, whole), await heard(room, input, random)];
    if (room.told.length > 0) return `a complaint: ${room.told[0]}`;
    if (room.server.connections !== 0 || room.ended !== 2) return 'a connection is still counted';
    return one === other ? undefined : `cut at random it is ${JSON.stringify(other)} and not ${JSON.stringify(one)}`;
  },
};
