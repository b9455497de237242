import { type Domain, parseDomain } from '../../base/index.ts';
import type { Call, Command, Output } from '../command.ts';
import { queuesOf } from '../tally.ts';

export const flushDomain: Command = {
  words: 'flush domain',
  summary: 'retry all delayed mail for a domain now',
  usage: 'flush domain DOMAIN|all',
  *run({ rest, house }): Output {
    const domain = wished(rest[0]);
    if (rest.length !== 1 || domain === undefined) return 'not understood';
    return yield* flush(house, domain, undefined);
  },
};

export const bindingFlushDomain: Command = {
  words: 'binding flush domain',
  summary: 'retry delayed mail of one binding now',
  usage: 'binding flush domain BINDING DOMAIN|all',
  *run({ rest, house }): Output {
    const domain = wished(rest[1]);
    if (rest.length !== 2 || domain === undefined) return 'not understood';
    return yield* flush(house, domain, rest[0]);
  },
};

const wished = (text: string | undefined): Domain | 'all' | undefined =>
  text === undefined ? undefined : text === 'all' ? 'all' : parseDomain(text);

function* flush(house: Call['house'], domain: Domain | 'all', binding: string | undefined): Generator<string, 'ok'> {
  const queues = yield* queuesOf(house.queues, { domain: domain === 'all' ? undefined : domain, binding });
  let count = 0;
  for (const queue of queues) {
    if (queue.delayed > 0) count += house.queues.flush(queue);
    yield '';
  }
  yield `${domain === 'all' ? 'All domains' : domain} flushed.  ${count} messages requeued.\n`;
  return 'ok';
}
