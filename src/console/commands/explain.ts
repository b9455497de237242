import { bindingName, parseDomain } from '../../base/index.ts';
import { messageId } from '../../message/index.ts';
import type { Explanation, Item, MailQueue } from '../../queue/index.ts';
import { replyText } from '../../smtp/index.ts';
import type { Call, Command, Output } from '../command.ts';
import type { Route } from '../house.ts';
import { dateText, figure } from '../layout.ts';

/** Why a message, or the mail of a binding and a domain, waits: gate, option, value, scope, file and line, since, until. */
export const explain: Command = {
  words: 'explain',
  summary: 'why a message, or the mail of a binding and a domain, waits',
  usage: 'explain MESSAGE | BINDING DOMAIN',
  *run({ rest, house }): Output {
    if (rest.length === 1) return yield* explainMessage(house, rest[0] ?? '');
    const [binding, name] = rest;
    const domain = name === undefined ? undefined : parseDomain(name);
    if (rest.length !== 2 || binding === undefined || domain === undefined) return 'not understood';
    const queue = house.queues.find(bindingName(binding), domain);
    if (queue === undefined) {
      yield `No messages for ${domain} found.\n`;
      return 'failed';
    }
    yield `${queue.group}/${queue.binding} ${queue.domain}\n`;
    yield figure('Active Queue', queue.active);
    yield figure('Delayed Queue', queue.delayed);
    yield figure('Being Delivered', queue.inFlight);
    yield figure('Open Connections', connectionsOf(house, queue));
    if (queue.active > 0) yield* inWords(house, house.explain.queue(queue));
    yield* retryTime(queue, house.clock.date());
    yield* usable(house.delivery.route(domain));
    return 'ok';
  },
};

function* explainMessage(house: Call['house'], text: string): Generator<string, 'ok' | 'failed'> {
  const id = messageId(text);
  const item = id === undefined ? undefined : house.queues.item(id);
  if (item === undefined) {
    yield `Message ${text} not found.\n`;
    return 'failed';
  }
  const { binding, domain, group } = item.queue;
  yield `${item.id} ${group}/${binding} ${domain}: ${item.state}, ${item.retries} retries\n`;
  yield* inWords(house, house.explain.item(item));
  if (item.lastReply !== undefined) yield `it was last told: ${replyText(item.lastReply)}\n`;
  return 'ok';
}

function* inWords(house: Call['house'], { gate, because, since, until }: Explanation): Generator<string> {
  yield gate === 'open' ? 'gate: none, it is on its way\n' : `gate: ${gate}\n`;
  if (because !== undefined) {
    const { place, key } = because.owner;
    const where = place === undefined ? key : `${key}, ${place.file}:${place.line}`;
    yield `because: ${because.option} = ${because.value} (${where})\n`;
  }
  if (since !== undefined) yield `since: ${dateText(since)}\n`;
  if (until !== undefined) {
    yield `earliest: ${dateText(until)}, in ${Math.max(0, Math.ceil((until - house.clock.date()) / 1000))} seconds\n`;
  }
}

function connectionsOf(house: Call['house'], queue: MailQueue): number {
  let open = 0;
  for (const { binding, domain } of house.delivery.connections())
    if (binding === queue.binding && domain === queue.domain) open++;
  return open;
}

function* retryTime(queue: MailQueue, now: number): Generator<string> {
  const next = firstDelayed(queue);
  if (next === undefined) return;
  const seconds = Math.max(0, Math.ceil((next.nextAttempt - now) / 1000));
  const gate = next.notBefore !== undefined && next.notBefore > now ? 'not before' : 'retry time';
  yield `${gate}: the first delayed message is due at ${dateText(next.nextAttempt)}, in ${seconds} seconds\n`;
  if (next.lastReply !== undefined) yield `retry time: it was last told: ${replyText(next.lastReply)}\n`;
}

/** Items come active first, then delayed by next attempt: the first delayed one is the next to leave. */
function firstDelayed(queue: MailQueue): Item | undefined {
  if (queue.delayed === 0) return undefined;
  for (const item of queue.items()) if (item.state === 'delayed') return item;
  return undefined;
}

function* usable(route: Route | undefined): Generator<string> {
  if (route === undefined) {
    yield 'DNS: there is no route in the cache\n';
    return;
  }
  const addresses = route.mxs.flatMap((mx) => mx.addresses);
  const failed = addresses.filter(({ state }) => state === 'failed').length;
  if (failed === addresses.length) yield `no usable host: ${addresses.length} addresses, all failed lately\n`;
  else yield `route: ${addresses.length - failed} of ${addresses.length} addresses are usable\n`;
}
