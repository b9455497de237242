import type { Ledger } from '../../queue/index.ts';
import type { Command, Output } from '../command.ts';
import { figure } from '../layout.ts';

/** received + generated + recovered = delivered + failed + expired + discarded + queued, or we have a bug. */
export const ledger: Command = {
  words: 'ledger',
  summary: 'where every recipient has gone, and whether the books balance',
  usage: 'ledger',
  *run({ rest, house }): Output {
    if (rest.length > 0) return 'not understood';
    const books = house.queues.ledger;
    yield 'Ledger\n';
    for (const [label, key] of entries) yield figure(label, books[key]);
    yield figure('Difference', books.difference);
    return books.difference === 0 ? 'ok' : 'failed';
  },
  json({ rest, house }) {
    if (rest.length > 0) return undefined;
    const { received, generated, recovered, delivered, failed, expired, discarded, queued, difference } =
      house.queues.ledger;
    return { received, generated, recovered, delivered, failed, expired, discarded, queued, difference };
  },
};

const entries: readonly (readonly [string, keyof Ledger])[] = [
  ['Received', 'received'],
  ['Generated', 'generated'],
  ['Recovered', 'recovered'],
  ['Delivered', 'delivered'],
  ['Failed', 'failed'],
  ['Expired', 'expired'],
  ['Discarded', 'discarded'],
  ['Queued', 'queued'],
];
