import { nearest } from '../base/index.ts';
import { type Caller, NOBODY } from './authorization.ts';
import type { Call, Command, Output, Piece, Result } from './command.ts';
import { commands as ownCommands } from './commands/list.ts';
import type { ConfigSession, House, ModuleCommand } from './house.ts';
import { missingText, referenceCommands } from './reference.ts';
import { splitWords, type Word } from './words.ts';

/** Runs one line. It never throws for what an operator may type; what a command throws is a bug and passes. */
export function answer(house: House, config: ConfigSession, line: string, caller: Caller = NOBODY): Output {
  return dispatch({ house, config, caller }, line, 'text');
}

/** All commands that run here, in the order of help: ours, then those of modules. */
export function allCommands(house: House): readonly Command[] {
  return [...ownCommands, ...Array.from(house.modules.commands(), fromModule)];
}

type Format = 'text' | 'json';
type Desk = Pick<Call, 'house' | 'config' | 'caller'>;

function dispatch(desk: Desk, line: string, format: Format): Output {
  const { words, open } = splitWords(line);
  const first = words[0];
  if (first === undefined) return says('', 'ok');
  if (!first.quoted && (first.text === 'json' || first.text === 'xml')) {
    const second = words[1];
    if (second === undefined || format !== 'text') return says(`usage: ${first.text} COMMAND\n`, 'usage');
    if (first.text === 'xml' && longest(allCommands(desk.house), words.slice(1))?.isXml === true)
      return dispatch(desk, line.slice(second.from), 'text');
    if (first.text === 'xml')
      return says('xml: not implemented yet; json COMMAND gives the same as JSON for some commands\n', 'failed');
    return dispatch(desk, line.slice(second.from), 'json');
  }
  const commands = allCommands(desk.house);
  const command = longest(commands, words);
  const missing = longest(referenceCommands, [{ ...first, text: withoutInstance(first.text) }, ...words.slice(1)]);
  if (command === undefined || (missing !== undefined && missing.words.length > command.words.length)) {
    if (missing !== undefined) return says(missingText(missing), missing.support === 'gone' ? 'usage' : 'failed');
    return says(notKnown(first.text, commands), 'usage');
  }
  const own = command.words.split(' ').length;
  const text = line.slice(words[own - 1]?.to ?? 0).trim();
  // Values of the configuration have quoting rules of their own.
  if (open && !takesRawText(command)) return says('a quote is not closed\n', 'usage');
  const call: Call = { ...desk, commands, text, rest: words.slice(own).map((word) => word.text) };
  return format === 'json' ? asJson(command, call) : understood(command, call);
}

const takesRawText = (command: Command): boolean => command.words === 'config' || command.words === 'write config';

/** Most commands wait for nothing, and then a listing of a million lines costs no promise a line. */
function understood(command: Command, call: Call): Output {
  const output = command.run(call);
  return Symbol.asyncIterator in output ? asyncUnderstood(command, output) : syncUnderstood(command, output);
}

function* syncUnderstood(command: Command, output: Extract<Output, Generator>): Generator<Piece, Result> {
  const result = yield* output;
  if (result !== 'not understood') return result;
  yield usageOf(command);
  return 'usage';
}

async function* asyncUnderstood(
  command: Command,
  output: Extract<Output, AsyncGenerator>,
): AsyncGenerator<Piece, Result> {
  const result = yield* output;
  if (result !== 'not understood') return result;
  yield usageOf(command);
  return 'usage';
}

const usageOf = ({ words, usage }: Command): string =>
  `${notUnderstood(words)}usage: ${usage.replaceAll('\n', '\n       ')}\n`;

function* asJson(command: Command, call: Call): Generator<Piece, Result> {
  if (command.json === undefined) {
    yield `json ${command.words}: not implemented yet\n`;
    return 'failed';
  }
  const value: unknown = command.json(call);
  if (value === undefined) {
    yield notUnderstood(command.words);
    return 'usage';
  }
  yield `${JSON.stringify(value, null, 2)}\n`;
  return 'ok';
}

function* says(text: string, result: 'ok' | 'failed' | 'usage'): Generator<string, 'ok' | 'failed' | 'usage'> {
  if (text !== '') yield text;
  return result;
}

const notUnderstood = (words: string): string => `${words.split(' ', 1)[0] ?? ''} command not understood\n`;

function notKnown(first: string, commands: readonly Command[]): string {
  const heads = new Set<string>();
  for (const { words } of [...commands, ...referenceCommands]) heads.add(words.split(' ', 1)[0] ?? '');
  if (heads.has(withoutInstance(first))) return notUnderstood(first);
  const meant = nearest(first, heads);
  return meant === undefined ? 'Unknown command\n' : `Unknown command\nDid you mean ${meant}?\n`;
}

/**
 * The entry whose words all stand at the beginning of the line; of several the one with most words. A quoted word is
 * never one of them: who may run what is decided by the line as it is typed.
 */
function longest<T extends { readonly words: string }>(entries: readonly T[], line: readonly Word[]): T | undefined {
  let best: T | undefined;
  for (const entry of entries) {
    if (best !== undefined && best.words.length >= entry.words.length) continue;
    const wanted = entry.words.split(' ');
    if (wanted.every((word, at) => word === line[at]?.text && line[at]?.quoted !== true)) best = entry;
  }
  return best;
}

/** `ec_logger:main` is told as `ec_logger` when no module of that instance has the command. */
function withoutInstance(word: string): string {
  const colon = word.indexOf(':');
  return colon === -1 ? word : word.slice(0, colon);
}

function fromModule(command: ModuleCommand): Command {
  return {
    words: command.words,
    summary: command.summary,
    usage: command.words,
    async *run(call) {
      const ended: unknown = yield* command.run(call.rest);
      return ended === 'failed' ? 'failed' : 'ok';
    },
  };
}
