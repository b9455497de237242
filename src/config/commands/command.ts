import { ConfigError, ConfigErrors } from '../errors.ts';
import { type LiveConfiguration, restartWarning } from '../live/live-configuration.ts';
import { printTree } from '../tree/print-tree.ts';
import { changeOption, locate, show, unset, valueLine } from './actions.ts';
import { isText, wordsOf } from './path.ts';
import type { CommandCall, CommandResult, ConfigSession } from './session.ts';

/**
 * Runs one `config` command of the console (spec: online operations, commands).
 *
 * @param words everything behind `config`
 * @returns the lines to print; never throws for what was typed
 */
export async function configCommand(
  configuration: LiveConfiguration,
  session: ConfigSession,
  words: string,
): Promise<CommandResult> {
  try {
    const list = wordsOf(words);
    const [verb, ...rest] = list;
    const command = verb && COMMANDS.get(verb.text.toLowerCase());
    if (!command || !isText(verb))
      return failed(`unknown command '${verb?.text ?? ''}', one of ${[...COMMANDS.keys()].join(', ')}`);
    if (session.readOnly && command.changes)
      return { ok: false, lines: ['Configuration changes are not allowed here'] };
    return await command.run({ configuration, session, line: words, words: rest });
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
  readonly changes: boolean;
  run(call: CommandCall): CommandResult | Promise<CommandResult>;
}

const reads = (run: Command['run']): Command => ({ changes: false, run });
const changes = (run: Command['run']): Command => ({ changes: true, run });

const COMMANDS: ReadonlyMap<string, Command> = new Map([
  ['get', reads((call) => valueLine(call, 'get'))],
  ['eval', reads((call) => valueLine(call, 'eval'))],
  ['set', changes(changeOption)],
  ['unset', changes(unset)],
  ['show', reads((call) => show(call, false))],
  ['showrecurse', reads((call) => show(call, true))],
  ['locate', reads(locate)],
  ['begin', reads(begin)],
  ['replay', reads(replay)],
  ['commit', changes(commit)],
  ['rollback', reads(rollback)],
  ['reload', changes(reload)],
  [
    'writeback',
    changes(() => failed('writeback is not implemented yet: nothing was written; config show has what is live')),
  ],
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
  const next = await configuration.commit(transaction.tree, transaction.from);
  if (!next)
    return failed(`transaction conflict; live configuration is now generation ${configuration.current.number}`);
  session.transaction = undefined;
  const after = await configuration.pending(transaction.tree);
  const warnings = after.filter((name) => !before.has(name)).map(restartWarning);
  return { ok: true, lines: [...warnings, `Committed, generation ${next.number}.`] };
}

function rollback({ session }: CommandCall): CommandResult {
  if (!session.transaction) return failed('no transaction is open');
  session.transaction = undefined;
  return { ok: true, lines: ['Rolled back.'] };
}

async function reload({ configuration, session, words }: CommandCall): Promise<CommandResult> {
  if (session.transaction) return failed('a transaction is open');
  const [file, more] = words;
  if (more) return failed(`'${more.text}' behind the file`);
  try {
    const next = await configuration.reload(file?.text);
    const notices = configuration.notices.flatMap((notice) => (notice.kind === 'warning' ? [notice.line] : []));
    const warnings = (await configuration.pending(configuration.current.tree)).map(restartWarning);
    return { ok: true, lines: [...notices, ...warnings, `Configuration reloaded, generation ${next.number}.`] };
  } catch (error) {
    if (error instanceof ConfigErrors) return { ok: false, lines: error.consoleLines };
    throw error;
  }
}

/** One line, with the name of the command in front. */
export function failed(text: string): CommandResult {
  return { ok: false, lines: [`config: ${text}`] };
}
