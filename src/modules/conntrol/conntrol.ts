import { seconds } from '../../base/index.ts';
import type { Verdict } from '../../policy/index.ts';
import type { ModuleDefinition } from '../module.ts';
import * as options from './options.ts';

const CONTINUE: Verdict = { kind: 'continue' };

/**
 * Holds the greeting back, and finds out who talks before it, as programs do that only send. Counts what clients say
 * wrong.
 *
 * @see manual page conntrol; spec/listeners-and-console 7
 */
export const conntrol: ModuleDefinition = {
  name: 'conntrol',
  instances: 'named',
  options: options.conntrolOptions,
  start(host, view) {
    const lines = view.get(options.banner);
    const pause = view.get(options.pauseTime) ?? seconds(0);
    const ratware = view.get(options.disconnectRatware);
    const count = (context: Record<string, string>, name: string): void => {
      context[name] = String(Number(context[name] ?? '0') + 1);
    };
    const ends = [
      host.hook('core_validate_accept', async (client) => {
        if (lines !== undefined) client.preface(lines);
        if (await client.pause(pause, ratware !== undefined)) {
          client.connectionContext.early_talker = 'yes';
          if (ratware !== undefined) return { kind: 'reject', reply: ratware };
        }
        return CONTINUE;
      }),
      host.hook('command_misspoken', ({ connectionContext, unrecognized }) => {
        count(connectionContext, unrecognized ? 'conntrol_unrecognized_commands' : 'conntrol_bad_commands');
        return CONTINUE;
      }),
    ];
    return {
      async [Symbol.asyncDispose]() {
        for (const end of ends) end[Symbol.dispose]();
      },
    };
  },
};
