import type { Command, Output } from '../command.ts';

export const shutdown: Command = {
  words: 'shutdown',
  summary: 'close the listeners, finish what is under way, and end the server',
  usage: 'shutdown',
  *run({ rest, house }): Output {
    if (rest.length > 0) return 'not understood';
    yield 'Shutting down.\n';
    house.shutdown();
    return 'ok';
  },
};
