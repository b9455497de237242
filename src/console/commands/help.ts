import { askManual, type ManualAnswer, SUBJECTS } from '../../config/index.ts';
import type { Call, Command, Output } from '../command.ts';

/** `help` is printed from the list of commands, so it cannot forget one. */
export const help: Command = {
  words: 'help',
  summary: 'list the commands, or tell how one is used',
  usage: 'help [COMMAND]\nhelp option NAME [SCOPE]\nhelp scope NAME\nhelp module NAME',
  *run(call) {
    const topic = call.rest.join(' ');
    if (topic === '') return yield* listed(call);
    const entry = entryAsked(call);
    if (entry === 'not understood') return entry;
    if (entry === undefined) return yield* explained(call, topic);
    yield entry.text;
    return entry.found ? 'ok' : 'failed';
  },
  json(call) {
    const entry = entryAsked(call);
    return typeof entry === 'object' ? entry.data : undefined;
  },
};

/**
 * An entry of the manual, when one is asked for: of an option, a scope or a module. `help module list` is about the
 * command of that name.
 */
function entryAsked({ house, commands, rest }: Call): ManualAnswer | 'not understood' | undefined {
  const [word, name, scope, ...more] = rest;
  const subject = SUBJECTS.find((each) => each === word);
  if (subject === undefined || about(commands, rest.join(' ')).length > 0) return undefined;
  if (name === undefined || more.length > 0 || (scope !== undefined && subject !== 'option')) return 'not understood';
  return askManual(house.manual, subject, name, scope);
}

function* listed({ commands }: Call): Generator<string, 'ok'> {
  const width = Math.max(...commands.map(({ words }) => words.length));
  for (const { words, summary } of [...commands].sort((one, other) => (one.words < other.words ? -1 : 1))) {
    yield `${words.padEnd(width)}  ${summary}\n`;
  }
  return 'ok';
}

function* explained({ commands }: Call, topic: string): Generator<string, 'ok' | 'failed'> {
  const found = about(commands, topic);
  if (found.length === 0) {
    yield `There is no help for ${topic}.\n`;
    return 'failed';
  }
  for (const { usage, summary } of found) yield `${usage}\n    ${summary}\n`;
  return 'ok';
}

/** Those that a topic names, or begins. */
const about = (commands: readonly Command[], topic: string): readonly Command[] =>
  commands.filter(({ words }) => words === topic || words.startsWith(`${topic} `));

export const quit: Command = {
  words: 'quit',
  summary: 'leave the console',
  usage: 'quit',
  *run({ rest }): Output {
    if (rest.length > 0) return 'not understood';
    yield '';
    return 'quit';
  },
};
