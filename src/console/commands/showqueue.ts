import { type Domain, parseDomain } from '../../base/index.ts';
import type { Item, MailQueue } from '../../queue/index.ts';
import type { Command, Output } from '../command.ts';
import { queuesOf } from '../tally.ts';

export const showqueue: Command = {
  words: 'showqueue',
  summary: 'messages that wait for a domain',
  usage: 'showqueue [binding BINDING|all] DOMAIN [limit,offset]',
  *run({ rest, house }): Output {
    const wish = wished(rest);
    if (wish === undefined) return 'not understood';
    const queues = yield* queuesOf(house.queues, { domain: wish.domain, binding: wish.binding });
    const items = page(queues, wish.limit, wish.offset);
    for (const item of items) yield itemLines(item);
    if (items.length === 0) yield `No messages for ${wish.domain} found.\n`;
    return 'ok';
  },
};

interface Wish {
  readonly domain: Domain;
  /** Undefined: all of them. */
  readonly binding: string | undefined;
  readonly limit: number;
  readonly offset: number;
}

function wished(rest: readonly string[]): Wish | undefined {
  let words = rest;
  let binding: string | undefined = 'default';
  if (words[0] === 'binding' && words.length > 2) {
    binding = words[1] === 'all' ? undefined : words[1];
    words = words.slice(2);
  }
  const [name, window = '100,0', ...more] = words;
  const domain = name === undefined ? undefined : parseDomain(name);
  const numbers = /^(\d{1,9})(?:,(\d{1,9}))?$/.exec(window);
  if (domain === undefined || numbers === null || more.length > 0) return undefined;
  return { domain, binding, limit: Number(numbers[1]), offset: Number(numbers[2] ?? 0) };
}

/**
 * Taken in one go: the queue lives on while the console reads, and a message that moved in between would be listed
 * twice or not at all. What is being delivered is in neither queue, as the manual says.
 */
function page(queues: readonly MailQueue[], limit: number, offset: number): readonly Item[] {
  const items: Item[] = [];
  let skip = offset;
  for (const queue of queues) {
    for (const item of queue.items()) {
      if (items.length >= limit) return items;
      if (item.state !== 'active' && item.state !== 'delayed') continue;
      if (skip > 0) skip--;
      else items.push(item);
    }
  }
  return items;
}

function itemLines(item: Item): string {
  const { envelope } = item.message;
  const recipient = envelope.recipients[item.recipient]?.path ?? '';
  // Listed as it was when the page was taken, so it says `active` or `delayed` even if it has left since.
  const state = item.state === 'delayed' ? 'delayed' : 'active';
  return `[${state}/${item.queue.binding}] ${item.id} Created: ${Math.floor(envelope.receivedAt / 1000)}
  From: <${envelope.reversePath}> To: <${recipient}>\n`;
}
