import { parseDomain } from '../../base/index.ts';
import type { MailQueue } from '../../queue/index.ts';
import type { Call, Command, Output } from '../command.ts';
import { Largest, queueRow } from '../largest-queues.ts';
import { right } from '../layout.ts';

export const mailq: Command = {
  words: 'mailq',
  summary: 'the largest queues',
  usage: 'mailq [-d|--domain DOMAIN]… [-b|--binding BINDING]… [-l|--limit N]',
  *run(call): Output {
    const wish = wished(call.rest);
    if (wish === undefined) return 'not understood';
    const largest = new Largest(wish.limit);
    for (const queue of call.house.queues.all()) {
      if (fits(wish, queue)) largest.add(queue);
      yield '';
    }
    yield `${'Group/Binding'.padEnd(24)}${right('Domain', 34)}${right('AQ', 8)}${right('DQ', 8)}\n${'-'.repeat(74)}\n`;
    for (const queue of largest.sorted()) {
      const name = `${queue.group}/${queue.binding}`.padEnd(24);
      const domain = right(queue.domain, Math.max(58 - name.length, queue.domain.length + 1));
      yield `${name}${domain}${right(queue.active, 8)}${right(queue.delayed, 8)}\n`;
    }
    return 'ok';
  },
  /** Under the names of `GET /stats/queues/mailq`. */
  json(call) {
    const wish = wished(call.rest);
    if (wish === undefined) return undefined;
    const largest = new Largest(wish.limit);
    for (const queue of call.house.queues.all()) if (fits(wish, queue)) largest.add(queue);
    return {
      QueueSummary: largest.sorted().map(queueRow),
    };
  },
};

interface Wish {
  readonly domains: ReadonlySet<string>;
  readonly bindings: ReadonlySet<string>;
  readonly limit: number;
}

const fits = (wish: Wish, { domain, binding }: MailQueue): boolean =>
  (wish.domains.size === 0 || wish.domains.has(domain)) && (wish.bindings.size === 0 || wish.bindings.has(binding));

function wished(rest: Call['rest']): Wish | undefined {
  const domains = new Set<string>();
  const bindings = new Set<string>();
  let limit = 20;
  for (let at = 0; at < rest.length; at += 2) {
    const value = rest[at + 1];
    if (value === undefined) return undefined;
    switch (rest[at]) {
      case '-d':
      case '--domain':
        domains.add(parseDomain(value) ?? value);
        break;
      case '-b':
      case '--binding':
        bindings.add(value);
        break;
      case '-l':
      case '--limit':
        if (!/^[1-9]\d{0,8}$/.test(value)) return undefined;
        limit = Number(value);
        break;
      default:
        return undefined;
    }
  }
  return { domains, bindings, limit };
}
