import { isAbsolute, join } from 'node:path';
import { ConfigErrors, type LiveConfiguration } from '../config/index.ts';
import { DiskError, type Process, type World } from '../world/index.ts';
import { commandNamed, USAGE, understood } from './command-line.ts';
import { loadFor } from './load-configuration.ts';

interface Words {
  readonly config?: string;
  readonly out?: string;
  readonly xml?: boolean;
  readonly json?: boolean;
  readonly text?: boolean;
}

/**
 * `impetus dump`: the effective configuration, with all includes read and all stanzas merged, as text (which can be read
 * as a configuration again), JSON or XML.
 *
 * @returns 0, 1 when there is no valid configuration or the output cannot be written, 2 for words that make no sense
 */
export async function dumpProgram(world: World, process: Process, words: readonly string[]): Promise<number> {
  const command = commandNamed('impetus dump', 'Prints the effective configuration.', process)
    .option('-c, --config <file>', 'configuration file (default: the search path, as in the manual)')
    .option('-f, --out <file>', 'write to this file (default: standard output)')
    .option('--text', 'in the language of the files (the default)')
    .option('--json', 'as JSON')
    .option('--xml', 'as XML, as ec_dump_config does');
  const wrong = understood(command, words);
  if (wrong !== undefined) return wrong;
  const asked = command.opts<Words>();
  const forms = (['text', 'json', 'xml'] as const).filter((form) => asked[form] === true);
  if (forms.length > 1) {
    process.complain(`impetus dump: --${forms[0]} or --${forms[1]}, not both\n`);
    return USAGE;
  }
  return dump(world, process, asked, forms[0] ?? 'text', (errors) => errors.checkLines);
}

/**
 * `ec_dump_config [-c FILE] [-e EXTDIR] [-f OUT]`, under Momentum's name: XML, else its error text on standard error.
 *
 * @returns 0, or 1 when there is no valid configuration or the output cannot be written
 */
export async function ecDumpConfigProgram(world: World, process: Process, words: readonly string[]): Promise<number> {
  const command = commandNamed('ec_dump_config', 'Prints the effective configuration as XML.', process)
    .option('-c, --config <file>', 'configuration file (default: the search path, as in the manual)')
    .option('-e, --extdir <directory>', "Momentum's folder of modules: scripts may give it, and ours are built in")
    .option('-f, --out <file>', 'write to this file (default: standard output)');
  const wrong = understood(command, words);
  if (wrong !== undefined) return wrong;
  return dump(world, process, command.opts<Words>(), 'xml', (errors) =>
    errors.reason === 'not found' ? ['No configuration found'] : errors.consoleLines,
  );
}

async function dump(
  world: World,
  process: Process,
  asked: Words,
  form: 'text' | 'json' | 'xml',
  linesOf: (errors: ConfigErrors) => readonly string[],
): Promise<number> {
  let configuration: LiveConfiguration;
  try {
    configuration = await loadFor(world, process, asked.config, { looksOnly: true });
  } catch (error) {
    if (!(error instanceof ConfigErrors)) throw error;
    for (const line of linesOf(error)) process.complain(`${line}\n`);
    return 1;
  }
  const text = configuration.printed(form);
  if (asked.out === undefined) {
    process.say(text);
    return 0;
  }
  const path = isAbsolute(asked.out) ? asked.out : join(process.directory, asked.out);
  try {
    await world.disk.replace(path, Buffer.from(text));
    return 0;
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    process.complain(`cannot write ${path}: ${error.code}\n`);
    return 1;
  }
}
