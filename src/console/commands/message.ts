import { parseAddress } from '../../base/index.ts';
import type { MessageId } from '../../message/index.ts';
import type { Item } from '../../queue/index.ts';
import { reply, replyText } from '../../smtp/index.ts';
import type { Call, Command, Output, Piece } from '../command.ts';
import { dateText, right } from '../layout.ts';

/** What an operator may see of one message, and do to it. */
export const messageDetails: Command = {
  words: 'message details',
  summary: 'envelope and state of a message, its content, or both',
  usage: 'message details [full|body] ID',
  async *run({ rest, house }): Output {
    const words = [...rest];
    const part = words[0] === 'full' || words[0] === 'body' ? words.shift() : 'details';
    const item = found(house, words);
    if (item === undefined || item === 'missing')
      return item === undefined ? 'not understood' : yield* notFound(words[0]);
    if (item.state === 'in flight') return yield* notNow(item);
    if (part !== 'body') yield details(item);
    if (part === 'full') yield '\n';
    if (part !== 'details') yield* content(house, item);
    return 'ok';
  },
};

export const messageRetry: Command = {
  words: 'message retry',
  summary: 'try a message now',
  usage: 'message retry ID',
  *run({ rest, house }): Output {
    const item = found(house, rest);
    if (item === undefined || item === 'missing')
      return item === undefined ? 'not understood' : yield* notFound(rest[0]);
    if (!house.queues.retry(item)) return yield* notNow(item);
    yield 'Message requeued for delivery\n';
    return 'ok';
  },
};

export const messageFail: Command = {
  words: 'message fail',
  summary: 'fail a message for good; quiet: without a bounce',
  usage: 'message fail [quiet] ID',
  *run({ rest, house }): Output {
    const quiet = rest[0] === 'quiet';
    const words = quiet ? rest.slice(1) : rest;
    const item = found(house, words);
    if (item === undefined || item === 'missing')
      return item === undefined ? 'not understood' : yield* notFound(words[0]);
    if (!house.queues.fail(item, reply(554, undefined, 'manually failed'), quiet)) return yield* notNow(item);
    yield 'Message failed\n';
    return 'ok';
  },
};

function found(house: Call['house'], words: readonly string[]): Item | 'missing' | undefined {
  const id = words[0];
  if (words.length !== 1 || id === undefined) return undefined;
  // What somebody typed is no id until the queue says so; asking for any text is harmless.
  const item = house.queues.item(id as MessageId);
  return item === undefined || item.state === 'gone' ? 'missing' : item;
}

function* notFound(id: string | undefined): Generator<string, 'failed'> {
  yield `Message ${id ?? ''} not found.\n`;
  return 'failed';
}

/** Why the queue did not do it: mail is being delivered, or was sent not to be tried yet. */
function* notNow({ id, state, notBefore }: Item): Generator<string, 'failed'> {
  yield state === 'delayed' && notBefore !== undefined
    ? `Message ${id} is not to be tried before ${dateText(notBefore)}.\n`
    : `Message ${id} is being delivered.\n`;
  return 'failed';
}

function details(item: Item): string {
  const { envelope } = item.message;
  const lines = [
    `Message: ${item.id}`,
    'Message Type: full message',
    line('Created', dateText(envelope.receivedAt)),
    line('Next Attempt', dateText(item.nextAttempt)),
    line('Retries', String(item.retries)),
    line('Received Via', receivedVia(envelope.protocol, envelope.peer)),
    line('Sender', envelope.reversePath),
    line('Recipient', envelope.recipients[item.recipient]?.path ?? ''),
    line('Code', item.lastReply === undefined ? '' : replyText(item.lastReply)),
    line('Size', String(envelope.size)),
    line('Binding', `${item.queue.group}/${item.queue.binding}`),
    line('Domain', item.queue.domain),
  ];
  for (const [name, value] of Object.entries(envelope.context.connection))
    lines.push(line('Connection Context', `${name} = ${value}`));
  for (const [name, value] of Object.entries(envelope.context.message))
    lines.push(line('Message Context', `${name} = ${value}`));
  return `${lines.join('\n')}\n`;
}

const line = (label: string, value: string): string => `${right(label, 22)}: ${value}`.trimEnd();

const protocolNames = {
  esmtp: 'SMTP',
  rest: 'HTTP',
  ecstream: 'ECStream',
  xfer: 'xfer',
  internal: 'internal',
} as const;

function receivedVia(protocol: keyof typeof protocolNames, peer: string): string {
  const name = protocolNames[protocol];
  // Neither has a client at a socket: who asked by HTTP is not kept with each message of a transmission.
  if (protocol === 'internal' || protocol === 'rest') return name;
  const ip = parseAddress(peer);
  if (ip === undefined) return `${name} (Unix)`;
  return `${name} ${ip} (${ip.includes(':') ? 'IPv6' : 'IPv4'})`;
}

const sliceBytes = 16_384;

/** The message as it is kept, in slices from memory or disk. */
async function* content(house: Call['house'], item: Item): AsyncGenerator<Piece> {
  using hold = house.spool.hold(item.message.at);
  for (;;) {
    const slice = hold.next(sliceBytes);
    const views = slice instanceof Promise ? await slice : slice;
    if (views === undefined) return;
    yield* views;
  }
}
