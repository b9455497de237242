import type { Call, Command, Output } from '../command.ts';

/** `help` is printed from the list of commands, so it cannot forget one. */
export const help: Command = {
  words: 'help',
  summary: 'list the commands, or tell how one is used',
  usage: 'help [COMMAND]',
  *run(call) {
    const topic = call.rest.join(' ');
    return topic === '' ? yield* listed(call) : yield* explained(call, topic);
  },
};

function* listed({ commands }: Call): Generator<string, 'ok'> {
  const width = Math.max(...commands.map(({ words }) => words.length));
  for (const { words, summary } of [...commands].sort((one, other) => (one.words < other.words ? -1 : 1))) {
    yield `${words.padEnd(width)}  ${summary}\n`;
  }
  return 'ok';
}

function* explained({ commands }: Call, topic: string): Generator<string, 'ok' | 'failed'> {
  const found = commands.filter(({ words }) => words === topic || words.startsWith(`${topic} `));
  if (found.length === 0) {
    yield `There is no help for ${topic}.\n`;
    return 'failed';
  }
  for (const { usage, summary } of found) yield `${usage}\n    ${summary}\n`;
  return 'ok';
}

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
