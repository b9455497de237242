import { ConfigError, ConfigErrors } from '../errors.ts';
import type { CompiledGeneration } from '../fallback/compiled-generation.ts';
import type { Effects, ModuleEffects, SocketEffects } from '../live/effects.ts';
import { spelling } from '../schema/spelling.ts';
import { quote } from '../text/print.ts';
import { differenceLine, differences, settingsIn } from '../tree/diff.ts';
import type { Stanza } from '../tree/stanza.ts';
import { MOST_PAIRS, movedPairs } from './moved-pairs.ts';
import type { CommandCall, CommandResult } from './session.ts';

/** Settings that are listed; `config diff` has them all. */
const MOST_SETTINGS = 50;

/**
 * `config plan [FILE]`: what the commit of the open transaction, or without one a reload, would do. Everything is asked
 * of the code that would do it, and nothing is done.
 */
export async function plan(call: CommandCall): Promise<CommandResult> {
  const { configuration, effects } = call;
  if (!effects) throw new ConfigError('plan needs a running server');
  let wanted: Wanted;
  try {
    wanted = await wantedTree(call);
  } catch (error) {
    if (!(error instanceof ConfigErrors)) throw error;
    const found = error.errors.flatMap((each) => each.consoleLines);
    return { ok: false, lines: [...found, 'It would be refused, and nothing would change.'] };
  }
  const live = configuration.current;
  const next = configuration.proposed(wanted.tree);
  const lines = [
    `Plan of the ${wanted.what}, which would make generation ${next.number}:`,
    ...wanted.warnings,
    ...settings(live, next, wanted.diff),
    ...sockets(effects.sockets(next)),
    ...modules(effects.modules(next)),
    ...(await pairs(call, effects, live, next)),
    ...restarts(await configuration.pending(next.tree)),
    ...sessions(effects, next),
    'Nothing was changed. Whether sockets and log files can be opened is known only when it is done.',
  ];
  if (configuration.current !== live)
    lines.push(`Meanwhile generation ${configuration.current.number} became live: plan again.`);
  return { ok: true, lines };
}

interface Wanted {
  readonly tree: Stanza;
  readonly what: string;
  /** The command that lists all settings. */
  readonly diff: string;
  readonly warnings: readonly string[];
}

async function wantedTree({ configuration, session, words }: CommandCall): Promise<Wanted> {
  const [file, more] = words;
  if (more) throw new ConfigError(`'${more.text}' behind the file`);
  const { transaction } = session;
  if (!transaction) {
    const reading = await configuration.inspect(file?.text);
    return {
      tree: reading.tree,
      what: `reload of ${reading.file}`,
      diff: file ? `config diff --disk ${file.text}` : 'config diff --disk',
      warnings: reading.notices.flatMap((notice) => (notice.kind === 'warning' ? [notice.line] : [])),
    };
  }
  if (file) throw new ConfigError('a transaction is open: write plan, or rollback before you plan a reload');
  if (transaction.from !== configuration.current.number)
    throw new ConfigError(`transaction conflict; live configuration is now generation ${configuration.current.number}`);
  await configuration.check(transaction.tree);
  return { tree: transaction.tree, what: 'commit of the open transaction', diff: 'config diff', warnings: [] };
}

function settings(live: CompiledGeneration, next: CompiledGeneration, command: string): readonly string[] {
  const found = differences(live.tree, next.tree);
  if (found.length === 0) return ['Settings: none differs'];
  const shown = found.slice(0, MOST_SETTINGS).map((each) => `  ${differenceLine(each)}`);
  const rest = found.length - shown.length;
  return [
    `Settings: ${counted(settingsIn(found), 'differs', 'differ')}`,
    ...shown,
    ...(rest > 0 ? [`  and ${counted(rest, 'line', 'lines')} more: ${command}`] : []),
  ];
}

function sockets({ opened, closed, reopened, changed: altered, kept }: SocketEffects): readonly string[] {
  const changed = [
    ...row('opened', opened),
    ...row('re-opened', reopened),
    ...row('changed', altered),
    ...row('closed', closed),
  ];
  return changed.length === 0
    ? [`Listeners: all ${kept.length} are kept`]
    : ['Listeners:', ...changed, ...row('kept', kept)];
}

function modules({ started, ended, restarted }: ModuleEffects): readonly string[] {
  const changed = [...row('started', started), ...row('restarted', restarted), ...row('ended', ended)];
  return changed.length === 0 ? [] : ['Modules:', ...changed];
}

const row = (what: string, names: readonly string[]): readonly string[] =>
  names.map((name) => `  ${what.padEnd(10)}  ${name}`);

async function pairs(
  call: CommandCall,
  effects: Effects,
  live: CompiledGeneration,
  next: CompiledGeneration,
): Promise<readonly string[]> {
  const found = await movedPairs(call.configuration.schema, effects, live, next);
  const gone = [...found.gone].map(
    ([binding, waiting]) =>
      `  Binding ${quote(binding)} goes: ${counted(waiting, 'message stays', 'messages stay')} in its queues`,
  );
  if (found.moved.length === 0) return [`Queues: none of ${found.known} sees other values`, ...gone];
  const messages = found.moved.reduce((sum, pair) => sum + pair.messages, 0);
  const lines = [
    `Queues: ${found.moved.length} of ${found.known} see other values, with ${counted(messages, 'message', 'messages')}; the fullest first:`,
  ];
  for (const { where, messages: waiting, changes } of found.moved.slice(0, MOST_PAIRS)) {
    lines.push(`  ${where}: ${counted(waiting, 'message', 'messages')}`);
    for (const { name, from, to } of changes)
      lines.push(`    ${spelling(name)} ${from} -> ${to}${EFFECTIVE.get(name) ?? ''}`);
  }
  const rest = found.moved.length - MOST_PAIRS;
  if (rest > 0) lines.push(`  and ${rest} more`);
  return [...lines, ...gone];
}

function restarts(names: readonly string[]): readonly string[] {
  return names.length === 0
    ? ['Restart: not needed']
    : [`Restart: needed before these are used: ${names.map(spelling).join(', ')}`];
}

function sessions(effects: Effects, next: CompiledGeneration): readonly string[] {
  const { open, closed } = effects.sessions(next);
  if (open === 0) return ['SMTP sessions: none is open'];
  return [
    closed === 0
      ? `SMTP sessions: all ${open} go on`
      : `SMTP sessions: ${closed} of ${open} get 421 at their next MAIL FROM or RSET`,
  ];
}

/** When a value is not used at once. */
const EFFECTIVE: ReadonlyMap<string, string> = new Map([
  ['gateway', ' (for new mail: what waits stays in this queue until the next start)'],
  ['routes', ' (when the cached route ends, or after refresh domain)'],
]);

const counted = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`;
