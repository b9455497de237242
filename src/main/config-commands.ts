import {
  type CommandResult,
  configCommand,
  configSession,
  type Effects,
  type LiveConfiguration,
  writeConfigCommand,
} from '../config/index.ts';
import type { ConfigCommands } from '../console/index.ts';

/** The `config` commands of the console, each console with a transaction of its own. */
export function configCommands(configuration: LiveConfiguration, effects: Effects): ConfigCommands {
  const answer = ({ ok, lines }: CommandResult): { text: string; ok: boolean } => ({
    ok,
    text: lines.map((line) => `${line}\n`).join(''),
  });
  return {
    open(who) {
      const session = configSession({ who });
      return {
        async run(line) {
          return answer(await configCommand(configuration, session, line, effects));
        },
        async write(file) {
          return answer(await writeConfigCommand(configuration, file ?? ''));
        },
        matching: (type, instance) => configuration.stanzaText(type, instance),
        get open() {
          return session.transaction !== undefined;
        },
        [Symbol.dispose]() {
          // A transaction belongs to its console and ends with it.
          session.transaction = undefined;
        },
      };
    },
  };
}
