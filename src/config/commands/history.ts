import { civilTime, type Millis } from '../../base/index.ts';
import { ConfigError } from '../errors.ts';
import { originText, type Past } from '../live/history.ts';
import { differenceLine, differences } from '../tree/diff.ts';
import type { Stanza } from '../tree/stanza.ts';
import type { CommandCall, CommandResult } from './session.ts';
import { restartWarning } from './words.ts';

/** `config history`: the generations of this run, oldest first. */
export function history({ configuration, words }: CommandCall): CommandResult {
  nothingMore(words, 0);
  const live = configuration.current.number;
  const rows = configuration.history.map((past) => ({
    number: String(past.number),
    date: dateText(past.date),
    differ: past.origin.kind === 'start' ? '-' : String(past.differences),
    how: clipped(originText(past.origin)) + (past.who === '' ? '' : `, by ${past.who}`),
    live: past.number === live,
  }));
  const [number, differ] = [
    Math.max(3, ...rows.map((row) => row.number.length)),
    Math.max(7, ...rows.map((row) => row.differ.length)),
  ];
  const lines = rows.map(
    (row) =>
      `${row.live ? '*' : ' '} ${row.number.padStart(number)}  ${row.date}  ${row.differ.padStart(differ)}  ${row.how}`,
  );
  const head = `  ${'gen'.padStart(number)}  ${'date (UTC)'.padEnd(19)}  ${'changes'.padStart(differ)}  how, and by whom`;
  const gone = (configuration.history[0]?.number ?? 1) - 1;
  const older = gone === 0 ? [] : [`  generations 1 to ${gone} are not kept any more`];
  return { ok: true, lines: [head, ...older, ...lines] };
}

/** `config diff`, `diff N`, `diff A B`, `diff --disk [FILE]`. */
export async function diff(call: CommandCall): Promise<CommandResult> {
  const { configuration, session, words } = call;
  const live = configuration.current.tree;
  const [first, second] = words;
  if (!first) {
    if (!session.transaction) throw new ConfigError('no transaction is open: write diff N, diff A B or diff --disk');
    return told(live, session.transaction.tree);
  }
  if (first.text === '--disk') {
    nothingMore(words, 2);
    return told(live, (await configuration.inspect(second?.text)).tree);
  }
  nothingMore(words, 2);
  return told(pastOf(call, first.text).tree, second ? pastOf(call, second.text).tree : live);
}

/** `config rollback to N`: through the same checks as any commit. */
export async function rollbackTo(call: CommandCall): Promise<CommandResult> {
  const { configuration, session, words } = call;
  if (session.transaction) throw new ConfigError('a transaction is open');
  const number = words[1];
  if (words[0]?.text.toLowerCase() !== 'to' || !number) throw new ConfigError('write rollback, or rollback to N');
  nothingMore(words, 2);
  const past = pastOf(call, number.text);
  const live = configuration.current;
  if (past.number === live.number) return { ok: true, lines: [`Generation ${live.number} is live already.`] };
  const before = new Set(await configuration.pending(live.tree));
  const made = { origin: { kind: 'rollback', to: past.number }, who: session.who } as const;
  const next = await configuration.commit(past.tree, live.number, made);
  if (!next)
    throw new ConfigError(`transaction conflict; live configuration is now generation ${configuration.current.number}`);
  const after = await configuration.pending(configuration.current.tree);
  const warnings = after.filter((name) => !before.has(name)).map(restartWarning);
  return { ok: true, lines: [...warnings, `Generation ${past.number} is live again, as generation ${next.number}.`] };
}

function told(from: Stanza, to: Stanza): CommandResult {
  const lines = differences(from, to).map(differenceLine);
  return { ok: true, lines: lines.length === 0 ? ['No differences.'] : lines };
}

function pastOf({ configuration }: CommandCall, text: string): Past {
  const number = /^[1-9][0-9]{0,14}$/.test(text) ? Number(text) : undefined;
  if (number === undefined)
    throw new ConfigError(`'${text}' is not the number of a generation: config history lists them`);
  const past = configuration.past(number);
  if (past) return past;
  const first = configuration.history[0]?.number ?? 1;
  throw new ConfigError(
    number < first
      ? `generation ${number} is gone: the oldest that is kept is ${first}`
      : `there is no generation ${number}: the live one is ${configuration.current.number}`,
  );
}

function nothingMore(words: CommandCall['words'], most: number): void {
  const more = words[most];
  if (more) throw new ConfigError(`'${more.text}' is too much here`);
}

/** A value may be long, and a list must stay a list. */
function clipped(text: string): string {
  return text.length > 100 ? `${text.slice(0, 97)}...` : text;
}

/** `2026-11-25 02:27:49`, UTC. */
function dateText(at: Millis): string {
  const { year, month, day, hour, minute, second } = civilTime(at);
  const two = (part: number): string => String(part).padStart(2, '0');
  return `${year}-${two(month)}-${two(day)} ${two(hour)}:${two(minute)}:${two(second)}`;
}
