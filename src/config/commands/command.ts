import { ConfigError, ConfigErrors, NotImplemented, type Notice } from '../errors.ts';
import type { Effects } from '../live/effects.ts';
import type { LiveConfiguration } from '../live/live-configuration.ts';
import { printTree } from '../tree/print-tree.ts';
import { changeOption, locate, show, unset, valueLine } from './actions.ts';
import { explain } from './explain.ts';
import { diff, history, rollbackTo } from './history.ts';
import { isText, wordsOf } from './path.ts';
import { plan } from './plan.ts';
import type { CommandCall, CommandResult, ConfigSession } from './session.ts';
import { restartWarning } from './words.ts';
import { writeback } from './writeback.ts';

/**
 * Runs one `config` command of the console (spec: online operations, commands).
 *
 * @param words everything behind `config`
 * @param effects what the rooms above say about a generation that is not live, for `plan`
 * @returns the lines to print; never throws for what was typed
 */
export async function configCommand(
  configuration: LiveConfiguration,
  session: ConfigSession,
  words: string,
  effects?: Effects,
): Promise<CommandResult> {
  try {
    const list = wordsOf(words);
    const [verb, ...rest] = list;
    const command = verb && COMMANDS.get(verb.text.toLowerCase());
    if (!command || !isText(verb))
      return failed(`unknown command '${verb?.text ?? ''}', one of ${[...COMMANDS.keys()].join(', ')}`);
    if (session.readOnly && command.changes(rest))
      return { ok: false, lines: ['Configuration changes are not allowed here'] };
    return await command.run({ configuration, session, effects, line: words, words: rest });
  } catch (error) {
    if (error instanceof ConfigErrors) return { ok: false, lines: error.errors.flatMap((each) => each.consoleLines) };
    if (error instanceof ConfigError) return failed(error.message);
    throw error;
  }
}

/**
 * `write config [FILE]`: the live configuration, flattened; an open transaction is not in it.
 *
 * @param words everything behind `write config`
 */
export async function writeConfigCommand(configuration: LiveConfiguration, words: string): Promise<CommandResult> {
  const text = printTree(configuration.current.tree);
  const file = words.trim().replace(/^"(.*)"$/, '$1');
  if (file === '') return { ok: true, lines: text.split('\n').slice(0, -1) };
  if (!file.startsWith('/'))
    return failed(`'${file}': the file is written by the server, so its path must be absolute`);
  try {
    await configuration.disk.replace(file, Buffer.from(text), 0o640);
    return { ok: true, lines: [`Configuration written to ${file}.`] };
  } catch (error) {
    return failed(`cannot write ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

interface Command {
  /** With these words behind it. */
  changes(words: CommandCall['words']): boolean;
  run(call: CommandCall): CommandResult | Promise<CommandResult>;
}

const reads = (run: Command['run']): Command => ({ changes: () => false, run });
const changes = (run: Command['run']): Command => ({ changes: () => true, run });

const COMMANDS: ReadonlyMap<string, Command> = new Map([
  ['get', reads((call) => valueLine(call, 'get'))],
  ['eval', reads((call) => valueLine(call, 'eval'))],
  ['explain', reads(explain)],
  ['set', changes(changeOption)],
  ['unset', changes(unset)],
  ['show', reads((call) => show(call, false))],
  ['showrecurse', reads((call) => show(call, true))],
  ['locate', reads(locate)],
  ['begin', reads(begin)],
  ['replay', reads(replay)],
  ['commit', changes(commit)],
  ['rollback', { changes: (words) => words.length > 0, run: rollback }],
  ['reload', { changes: (words) => words[0]?.text !== '--check', run: reload }],
  ['plan', reads(plan)],
  ['history', reads(history)],
  ['diff', reads(diff)],
  ['writeback', changes(writeback)],
]);

function begin({ configuration, session, words }: CommandCall): CommandResult {
  if (session.transaction) return failed('a transaction is open');
  const from = words.map((word) => word.text.toLowerCase()).join(' ');
  if (from !== '' && from !== 'from scratch') return failed(`begin '${from}': write begin, or begin from scratch`);
  const { current, implicit } = configuration;
  session.transaction = { from: current.number, tree: from === '' ? current.tree : implicit, lines: [] };
  return { ok: true, lines: ['Transaction started.'] };
}

function replay({ session }: CommandCall): CommandResult {
  return session.transaction ? { ok: true, lines: session.transaction.lines } : failed('no transaction is open');
}

async function commit({ configuration, session }: CommandCall): Promise<CommandResult> {
  const { transaction } = session;
  if (!transaction) return failed('no transaction is open');
  const before = new Set(await configuration.pending(configuration.current.tree));
  const next = await configuration.commit(transaction.tree, transaction.from, {
    origin: { kind: 'commit', commands: transaction.lines.length },
    who: session.who,
  });
  if (!next)
    return failed(`transaction conflict; live configuration is now generation ${configuration.current.number}`);
  session.transaction = undefined;
  const after = await configuration.pending(configuration.current.tree);
  const warnings = after.filter((name) => !before.has(name)).map(restartWarning);
  return { ok: true, lines: [...warnings, `Committed, generation ${next.number}.`] };
}

function rollback(call: CommandCall): CommandResult | Promise<CommandResult> {
  const { session, words } = call;
  if (words.length > 0) return rollbackTo(call);
  if (!session.transaction) return failed('no transaction is open');
  session.transaction = undefined;
  return { ok: true, lines: ['Rolled back.'] };
}

async function reload({ configuration, session, words }: CommandCall): Promise<CommandResult> {
  const checks = words[0]?.text === '--check';
  if (session.transaction && !checks) return failed('a transaction is open');
  const [file, more] = checks ? words.slice(1) : words;
  if (more) return failed(`'${more.text}' behind the file`);
  try {
    if (checks) {
      const { tree, notices } = await configuration.inspect(file?.text);
      const found = reloadNotices(notices, await configuration.pending(tree));
      return { ok: true, lines: [...found, 'Configuration valid; nothing was changed.'] };
    }
    const next = await configuration.reload(file?.text, session.who);
    const found = reloadNotices(configuration.notices, await configuration.pending(configuration.current.tree));
    return { ok: true, lines: [...found, `Configuration reloaded, generation ${next.number}.`] };
  } catch (error) {
    if (error instanceof ConfigErrors) return { ok: false, lines: error.consoleLines };
    throw error;
  }
}

function reloadNotices(notices: readonly Notice[], pending: readonly string[]): readonly string[] {
  return [
    ...notices.flatMap((notice) => (notice.kind === 'warning' ? [notice.line] : [])),
    ...pending.map(restartWarning),
    ...unservedCount(notices.filter((notice) => notice instanceof NotImplemented).length),
  ];
}

function unservedCount(count: number): readonly string[] {
  if (count === 0) return [];
  const settings = count === 1 ? '1 setting is' : `${count} settings are`;
  return [`Warning: ${settings} accepted and not implemented yet: impetus check names them.`];
}

/** One line, with the name of the command in front. */
export function failed(text: string): CommandResult {
  return { ok: false, lines: [`config: ${text}`] };
}
