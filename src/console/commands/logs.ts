import { levels } from '../../events/index.ts';
import type { Command, Output } from '../command.ts';
import { logDateText } from '../layout.ts';

export const paniclog: Command = {
  words: 'paniclog',
  summary: 'the latest diagnostics of each level',
  usage: 'paniclog',
  *run({ rest, house }): Output {
    if (rest.length > 0) return 'not understood';
    // The worst stand first.
    for (const level of levels.toReversed()) {
      for (const { at, module, text } of house.diagnostics.of(level))
        yield `[${logDateText(at)}] [${level}] ${module}: ${text}\n`;
    }
    return 'ok';
  },
};

export const reopenLogs: Command = {
  words: 'reopen logs',
  summary: 'close and open all log files, as rotation needs it',
  usage: 'reopen logs',
  async *run({ rest, house }): Output {
    if (rest.length > 0) return 'not understood';
    const { loggers, troubles } = await house.reopenLogs();
    for (const trouble of troubles) yield `${trouble}\n`;
    yield `${loggers} loggers reopened.\n`;
    return troubles.length === 0 ? 'ok' : 'failed';
  },
};
