import { ConfigErrors } from '../config/index.ts';
import { consoleWarnings } from '../console/index.ts';
import type { Process, World } from '../world/index.ts';
import { commandNamed, understood } from './command-line.ts';
import { coverageOf } from './coverage.ts';
import { loadFor } from './load-configuration.ts';

interface Words {
  readonly config?: string;
  readonly json?: boolean;
  readonly coverage?: boolean;
}

/**
 * `impetus check -c FILE`: reads a configuration as the server would, and says what is wrong with it and what it asks
 * for that is not implemented yet.
 *
 * @returns 0 valid, 1 invalid, 2 there is none
 */
export async function checkProgram(world: World, process: Process, words: readonly string[]): Promise<number> {
  const command = commandNamed('impetus check', 'Checks a configuration without starting anything.', process)
    .option('-c, --config <file>', 'configuration file (default: the search path, as in the manual)')
    .option('--json', 'errors and notices as JSON')
    .option('--coverage', 'what is implemented: of all settings, or with -c of those that the file uses');
  const wrong = understood(command, words);
  if (wrong !== undefined) return wrong;
  const { config, json, coverage } = command.opts<Words>();
  if (coverage === true) return coverageOf(world, process, config, json === true);
  try {
    const configuration = await loadFor(world, process, config);
    const notices = [
      ...configuration.notices.map((notice) => notice.line),
      ...consoleWarnings(configuration.current).map((text) => `warning: ${text}`),
    ];
    if (json === true) process.say(`${JSON.stringify({ valid: true, errors: [], notices })}\n`);
    else {
      for (const line of notices) process.say(`${line}\n`);
      process.say('Configuration valid\n');
    }
    return 0;
  } catch (error) {
    if (!(error instanceof ConfigErrors)) throw error;
    if (json === true) process.say(`${JSON.stringify({ valid: false, errors: error.checkLines, notices: [] })}\n`);
    else for (const line of error.checkLines) process.complain(`${line}\n`);
    return error.reason === 'not found' ? 2 : 1;
  }
}

/**
 * `validate_config`, under Momentum's name and with its words (manual page validate_config).
 *
 * @returns 0 valid, 1 invalid, 2 none found
 */
export async function validateProgram(world: World, process: Process, words: readonly string[]): Promise<number> {
  const command = commandNamed('validate_config', 'Checks a configuration without starting anything.', process).option(
    '-c, --config <file>',
    'configuration file',
  );
  const wrong = understood(command, words);
  if (wrong !== undefined) return wrong;
  try {
    await loadFor(world, process, command.opts<Words>().config);
    process.say('Configuration valid\n');
    return 0;
  } catch (error) {
    if (!(error instanceof ConfigErrors)) throw error;
    if (error.reason === 'not found') {
      process.say('No configuration found\n');
      return 2;
    }
    for (const line of error.consoleLines) process.complain(`${line}\n`);
    return 1;
  }
}
