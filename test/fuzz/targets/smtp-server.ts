import { millis } from '../../../src/base/index.ts';
import {
  reply,
  type ServerEvent,
  type ServerSettings,
  type ServerWord,
  serverWord,
  smtpServer,
} from '../../../src/smtp/index.ts';
import type { Dice } from '../../sim/dice.ts';
import { type Cut, type FuzzTarget, latin, sameWhateverTheCut } from '../target.ts';

const NOW = millis(0);
const LOOSE = { blanksAtBrackets: true, blanksAtEnd: true, loose: true, unqualified: true, utf8: false };

/** The first byte chooses the settings. */
function settingsOf(choice: number): Partial<ServerSettings> {
  return {
    requireEhlo: (choice & 1) !== 0,
    mostBadCommands: (choice & 2) !== 0 ? 5 : 0,
    maxMessageSize: (choice & 4) !== 0 ? 1000 : 0,
    enhancedCodes: (choice & 8) !== 0,
    ...((choice & 32) !== 0
      ? { offers: { smtpUtf8: true, dsn: true, chunking: true, binaryMime: true, auth: true } }
      : {}),
    auth: (choice & 64) !== 0,
    ...((choice & 16) !== 0 ? { senderPaths: LOOSE, recipientPaths: LOOSE } : {}),
  };
}

function answer(event: ServerEvent): ServerWord | undefined {
  const ok = reply(250, '2.0.0', 'OK');
  switch (event.kind) {
    case 'body':
    case 'refused':
    case 'gone':
      return undefined;
    case 'connect':
      return serverWord(reply(220, undefined, 'hello'), 'go on');
    case 'data':
      return serverWord(reply(354, undefined, 'go'), 'read body');
    case 'quit':
      return serverWord(reply(221, '2.0.0', 'bye'), 'close');
    case 'auth':
      return event.initial === undefined || event.initial.length % 2 === 1
        ? serverWord(reply(334, undefined, 'VXNlcm5hbWU6'), 'challenge')
        : serverWord(reply(235, '2.7.0', 'yes'), 'go on');
    case 'auth-response':
      if (event.bytes.length % 3 === 2) return serverWord(reply(334, undefined, ''), 'challenge');
      return event.bytes.length % 3 === 1
        ? serverWord(reply(235, '2.7.0', 'yes'), 'go on')
        : serverWord(reply(535, '5.7.8', 'no'), 'go on');
    case 'rcpt':
      return serverWord(event.path.startsWith('no') ? reply(550, '5.1.1', 'no') : ok, 'go on');
    case 'end-of-data':
      return serverWord(event.length % 3 === 0 ? reply(451, '4.3.0', 'later') : ok, 'go on');
    default:
      return serverWord(ok, 'go on');
  }
}

/**
 * What is sent before the client waits for replies: to the end of a DATA, as RFC 2920 asks; or, of a client without
 * PIPELINING, line by line.
 */
function turns(stream: Buffer, lockstep: boolean): readonly Buffer[] {
  const found: Buffer[] = [];
  let from = 0;
  for (let at = 0; at < stream.length; ) {
    const lf = stream.indexOf(10, at);
    const end = lf === -1 ? stream.length : lf + 1;
    if (lockstep || /^data(?: \s*)?\r?\n$/i.test(stream.toString('latin1', at, end))) {
      found.push(stream.subarray(from, end));
      from = end;
    }
    at = end;
  }
  if (from < stream.length) found.push(stream.subarray(from));
  return found;
}

function converse(input: Buffer, cut: Cut): string {
  const choice = input[0] ?? 0;
  const lockstep = (choice & 32) !== 0;
  const machine = smtpServer(settingsOf(choice));
  const told: string[] = [];
  let said = '';
  let gone = 0;
  let body = '';
  const drain = (): void => {
    for (let event = machine.next(); event !== undefined; event = machine.next()) {
      if (gone > 0) throw new Error(`${event.kind} after the end`);
      if (event.kind === 'body') {
        for (const view of event.bytes) body += Buffer.from(view).toString('latin1');
        continue;
      }
      if (event.kind === 'end-of-data') {
        if (event.length !== body.length) throw new Error(`a body of ${body.length} bytes was called ${event.length}`);
        if (event.lone !== /\r(?!\n)|(?<!\r)\n/.test(body)) throw new Error(`lone line ends: ${event.lone}`);
        if (event.dots !== /(?:^|\r\n)\./.test(body)) throw new Error(`lines with dots: ${event.dots}`);
      }
      told.push(JSON.stringify({ ...event, body }));
      body = '';
      if (event.kind === 'gone') gone++;
      const word = answer(event);
      if (word !== undefined) {
        if (machine.waits !== 'word') throw new Error(`${event.kind} waits for no word`);
        machine.say(event.turn, word, NOW);
      }
    }
  };
  const take = (): void => {
    for (const view of machine.take()) said += Buffer.from(view).toString('latin1');
  };
  drain();
  for (const turn of turns(input.subarray(1), lockstep)) {
    for (const part of cut(turn)) {
      machine.receive(Buffer.from(part), NOW);
      drain();
      // At most a line of AUTH's length is held, whatever is sent.
      if (machine.waits === 'bytes' && machine.buffered > 12_288) throw new Error(`${machine.buffered} bytes are held`);
    }
    if (lockstep) take();
  }
  take();
  if (!/^(?:\d{3}[ -][\x20-\x7e]*\r\n)+$/.test(said))
    throw new Error(`no replies: ${JSON.stringify(said.slice(-200))}`);
  return `${told.join('\n')}\n${body}\n${said}`;
}

const COMMANDS = [
  'EHLO client.test',
  'HELO client.test',
  'MAIL FROM:<a@example.com>',
  'MAIL FROM:<a@example.com> SIZE=100 BODY=8BITMIME',
  'MAIL FROM:<>',
  'RCPT TO:<b@example.org>',
  'RCPT TO:<no@example.org>',
  'RCPT TO:<"q u"@[192.0.2.1]>',
  'DATA',
  'RSET',
  'NOOP',
  'VRFY x',
  'HELP',
  'QUIT',
  'STARTTLS',
  'AUTH PLAIN AGEAYg==',
  'AUTH PLAIN =',
  'AUTH LOGIN',
  'AUTH LOGIN YWI=',
  'AUTH CRAM-MD5 %%%',
  'MAIL FROM:<a@example.com> AUTH=<>',
  'BDAT 10 LAST',
] as const;

const LOGINS = COMMANDS.filter((command) => command.startsWith('AUTH'));

export const server: FuzzTarget = {
  name: 'smtp-server',
  about: 'the receiving machine: the same events whatever the cut, well-formed replies, bounded memory, one end',
  words: [
    ...COMMANDS,
    '\r\n',
    '\n',
    '\r',
    '.\r\n',
    '\r\n.\r\n',
    '\n.\n',
    '\r.\r',
    '\0',
    '*\r\n',
    'YQ==\r\n',
    'YWI=\r\n',
    'SIZE=',
    'AUTH=',
    '<',
    '>',
    '@',
    ':',
  ],
  generate(dice: Dice): Buffer {
    let text = '';
    const end = (): string => dice.weighted({ '\r\n': 30, '\n': 2, '\r': 1, '\r\r\n': 1 });
    for (let messages = dice.between(1, 3); messages > 0; messages--) {
      text += `EHLO client.test${end()}`;
      if (dice.happens(0.3)) text += `${dice.of(LOGINS)}${end()}`;
      for (let lines = dice.between(0, 2); lines > 0; lines--)
        text += `${dice.of(['*', 'YQ==', 'YWI=', '', '!'])}${end()}`;
      text += `MAIL FROM:<a@example.com>${end()}`;
      for (let count = dice.between(1, 3); count > 0; count--) text += `RCPT TO:<b${count}@example.org>${end()}`;
      text += `DATA${end()}Subject: x${end()}${end()}`;
      for (let lines = dice.scale(1, 30); lines > 0; lines--)
        text += dice.of(['', '.', '..', '.x', 'text', 'x'.repeat(dice.scale(1, 2000))]) + end();
      text += `.${end()}`;
      if (dice.happens(0.5)) text += `${dice.of(COMMANDS)}${end()}`;
    }
    return Buffer.concat([Buffer.of(dice.between(0, 127)), latin(text)]);
  },
  check: (input) => sameWhateverTheCut(input, (cut) => converse(input, cut)),
};
