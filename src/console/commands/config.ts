import type { Call, Command, Output } from '../command.ts';

/** The commands themselves belong to the configuration room; the console brings them a session and prints. */
export const config: Command = {
  words: 'config',
  summary: 'read and change the configuration',
  usage: [
    'config get|eval|explain [SCOPE…] OPTION',
    'config set [SCOPE…] OPTION [=] VALUE',
    'config unset [SCOPE…] [OPTION]',
    'config show|showrecurse [SCOPE…] [OPTION]',
    'config locate TYPE [REGEX]',
    'config begin [from scratch]',
    'config replay|commit|rollback',
    'config reload [--check] [FILE]',
    'config plan [FILE]',
    'config history',
    'config diff [N [M] | --disk [FILE]]',
    'config rollback to N',
    'config writeback [FILE]',
  ].join('\n'),
  async *run(call): Output {
    // Who may do what is decided by the line as it is typed: a verb in quotes would not be seen.
    if (!VERB.test(call.text)) return 'not understood';
    return yield* told(await call.config.run(call.text));
  },
};

const VERB = /^[a-z]+(?:[ \t]|$)/i;

export const writeConfig: Command = {
  words: 'write config',
  summary: 'print the running configuration, or write it on the server',
  usage: 'write config [FILE]',
  async *run(call): Output {
    if (call.rest.length > 1) return 'not understood';
    return yield* told(await call.config.write(call.rest[0]));
  },
};

export const reload: Command = {
  words: 'reload',
  summary: 'read the configuration again (config reload)',
  usage: 'reload [FILE]',
  async *run(call): Output {
    return yield* told(await call.config.run(`reload ${call.text}`.trimEnd()));
  },
};

function* told({ text, ok }: Awaited<ReturnType<Call['config']['run']>>): Generator<string, 'ok' | 'failed'> {
  if (text !== '') yield text.endsWith('\n') ? text : `${text}\n`;
  return ok ? 'ok' : 'failed';
}
