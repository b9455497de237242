import { type Domain, parseDomain } from '../../base/index.ts';
import type { Item, MailQueue } from '../../queue/index.ts';
import { type Reply, reply } from '../../smtp/index.ts';
import type { Call, Command, Output } from '../command.ts';
import { queuesOf } from '../tally.ts';

export const failDomain: Command = {
  words: 'fail domain',
  summary: 'fail all mail for a domain for good; quiet: without bounces',
  usage: 'fail domain [quiet] [--dry-run] DOMAIN [NOTE…]',
  *run({ rest, house }): Output {
    const wish = wished(rest, false);
    return wish === undefined ? 'not understood' : yield* purge(house, wish);
  },
};

export const bindingFailDomain: Command = {
  words: 'binding fail domain',
  summary: 'fail the mail of one binding for a domain, or for all',
  usage: 'binding fail domain [quiet] [--dry-run] BINDING DOMAIN|all [NOTE…]',
  *run({ rest, house }): Output {
    const wish = wished(rest, true);
    return wish === undefined ? 'not understood' : yield* purge(house, wish);
  },
};

interface Wish {
  readonly quiet: boolean;
  readonly dryRun: boolean;
  readonly filtered: boolean;
  readonly binding: string | undefined;
  /** Undefined: all. */
  readonly domain: Domain | undefined;
  readonly note: string;
}

/** `--dry-run` may stand anywhere and is never part of the note. */
function wished(rest: readonly string[], onBinding: boolean): Wish | undefined {
  const words = rest.filter((word) => word !== '--dry-run');
  const dryRun = words.length < rest.length;
  const quiet = words[0] === 'quiet';
  if (quiet) words.shift();
  // Wherever it stands: a filter taken for a note would fail more than was meant.
  const filtered = words.includes('--meta') || words.includes('--header');
  const binding = onBinding ? words.shift() : undefined;
  const name = words.shift();
  if (name === undefined) return undefined;
  const all = onBinding && name === 'all';
  const domain = all ? undefined : parseDomain(name);
  if (domain === undefined && !all && !filtered) return undefined;
  return { quiet, dryRun, filtered, binding, domain, note: words.join(' ') };
}

const dryRunLines = 25;

function* purge(house: Call['house'], wish: Wish): Generator<string, 'ok' | 'failed'> {
  if (wish.filtered) {
    yield 'Filters (--meta, --header) are not implemented yet; nothing was failed.\n';
    return 'failed';
  }
  const queues = yield* queuesOf(house.queues, wish);
  if (wish.dryRun) {
    yield* dryRun(queues, wish.domain ?? 'all domains');
    return 'ok';
  }
  const { failed, left } = yield* failAll(house, queues, noteReply(wish.note), wish.quiet);
  yield wish.domain === undefined
    ? `All domains purged.  ${failed} messages failed.\n`
    : `${wish.domain} purged. ${failed} messages failed.\n`;
  if (left > 0) yield `${left} messages are being delivered and were left alone.\n`;
  return 'ok';
}

function* dryRun(queues: readonly MailQueue[], name: string): Generator<string> {
  let count = 0;
  for (const queue of queues) {
    // One queue is read in one go, since it lives on while the console takes its time.
    const lines: string[] = [];
    for (const item of queue.items()) {
      if (item.state === 'in flight') continue;
      count++;
      if (count <= dryRunLines) lines.push(dryRunLine(item));
    }
    yield lines.join('');
  }
  const more = count > dryRunLines ? ` (Showing first ${dryRunLines}; ${count - dryRunLines} more not listed.)` : '';
  yield `[dry-run] ${name}: ${count} messages would be failed.${more}\n`;
}

function dryRunLine({ id, queue, message, recipient }: Item): string {
  const { reversePath, recipients } = message.envelope;
  return `  ${id}  domain=${queue.domain} from=<${reversePath}> to=<${recipients[recipient]?.path ?? ''}>\n`;
}

/** Stops when its console goes away; what is failed by then stays failed. */
function* failAll(
  house: Call['house'],
  queues: readonly MailQueue[],
  why: Reply,
  quiet: boolean,
): Generator<string, { failed: number; left: number }> {
  let failed = 0;
  let left = 0;
  for (const queue of queues) {
    // A copy: failing takes items out of the queue under our hands.
    for (const item of [...queue.items()]) {
      if (item.state !== 'gone') {
        if (house.queues.fail(item, why, quiet)) failed++;
        else left++;
      }
      yield '';
    }
  }
  return { failed, left };
}

/** An operator's words go into logs and bounces as they stand, behind 554 when they bring no code of their own. */
export function noteReply(note: string): Reply {
  if (note === '') return reply(554, '5.7.0', '[internal] Message manually purged');
  const own = /^(5\d\d) (?:(5\.\d{1,3}\.\d{1,3}) )?(.+)$/.exec(note);
  return own === null ? reply(554, undefined, note) : reply(Number(own[1]), own[2], own[3] ?? '');
}
