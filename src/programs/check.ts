import { type Command, Option } from 'commander';
import { tokenWarnings } from '../auth/index.ts';
import { type CheckResult, ConfigErrors, checkConfiguration } from '../config/index.ts';
import { consoleWarnings } from '../console/index.ts';
import {
  apiStoreNotes,
  checkDatasources,
  checkTlsFiles,
  datasourceNotes,
  sandboxNotes,
  unreachableStores,
} from '../main/index.ts';
import type { Process, World } from '../world/index.ts';
import { report } from './check-report.ts';
import { commandNamed, understood } from './command-line.ts';
import { coverageOf } from './coverage.ts';
import { loadOptions, type RemoteWords, withRemoteIncludes } from './load-configuration.ts';

interface Words extends RemoteWords {
  readonly config?: string;
  readonly node?: string;
  readonly syntaxOnly?: boolean;
  readonly pedantic?: boolean;
  /** False with `--no-files`. */
  readonly files: boolean;
  readonly warningsAsErrors?: boolean;
  readonly json?: boolean;
  readonly coverage?: boolean;
}

/**
 * `impetus check -c FILE`: reads a configuration as the server would, and says what is wrong with it and what it asks
 * for that is not implemented yet (docs/checking.md).
 *
 * @returns 0 valid, 1 invalid or, where that was asked for, not without warnings; 2 there is none
 */
export async function checkProgram(world: World, process: Process, words: readonly string[]): Promise<number> {
  const command = withFlags(commandNamed('impetus check', SUMMARY, process)).option(
    '--coverage',
    'what is implemented: of all settings, or with -c of those that the file uses',
  );
  const wrong = understood(command, words);
  if (wrong !== undefined) return wrong;
  const asked = command.opts<Words>();
  if (asked.coverage === true) return coverageOf(world, process, asked.config, asked.json === true);
  const result = await checked(world, process, asked);
  if (asked.json === true) return saidAsJson(process, result, asked);
  // What stops nothing can wait until what stops everything is mended; JSON has both.
  for (const error of result.errors) process.complain(`${error.checkLine}\n`);
  if (result.outcome === 'valid') {
    for (const notice of result.notices) process.say(`${notice.line}\n`);
    process.say(asked.syntaxOnly === true ? 'Syntax valid\n' : 'Configuration valid\n');
  }
  return exitCode(result, asked);
}

/**
 * `validate_config`, under Momentum's name and with its words (manual page validate_config). Errors and warnings go to
 * standard error, so that standard output is what Momentum's program prints.
 *
 * @returns as `checkProgram`
 */
export async function validateProgram(world: World, process: Process, words: readonly string[]): Promise<number> {
  const command = withFlags(commandNamed('validate_config', SUMMARY, process));
  const wrong = understood(command, words);
  if (wrong !== undefined) return wrong;
  const asked = command.opts<Words>();
  const result = await checked(world, process, asked);
  if (asked.json === true) return saidAsJson(process, result, asked);
  if (result.outcome === 'none') process.say('No configuration found\n');
  else if (result.outcome === 'valid') {
    for (const warning of result.warnings) process.complain(`${warning.line}\n`);
    process.say('Configuration valid\n');
  } else {
    for (const line of new ConfigErrors(result.errors).consoleLines) process.complain(`${line}\n`);
  }
  return exitCode(result, asked);
}

const SUMMARY = 'Checks a configuration without starting anything.';

function withFlags(command: Command): Command {
  const flags = command
    .option('-c, --config <file>', 'configuration file (default: the search path, as in the manual)')
    .option('--node <name>', 'check as this node: the search path and {NODENAME} are its own')
    .addOption(new Option('--syntax-only', 'the grammar alone, with any names and values').conflicts('pedantic'))
    .option('--pedantic', 'warn of what is legal and most likely not meant')
    .option('--no-files', 'do not look at keys, certificates, password files and scripts')
    .option('--warnings-as-errors', 'exit code 1 when there are warnings')
    .option('--json', 'all of it as one JSON object on standard output');
  return withRemoteIncludes(flags);
}

async function checked(world: World, process: Process, asked: Words): Promise<CheckResult> {
  let silent: Awaited<ReturnType<typeof unreachableStores>> = [];
  let closed: Awaited<ReturnType<typeof apiStoreNotes>> = [];
  try {
    return await checkConfiguration({
      ...loadOptions(world, process, asked.config, asked),
      syntaxOnly: asked.syntaxOnly === true,
      pedantic: asked.pedantic === true,
      judges: [consoleWarnings, datasourceNotes, tokenWarnings, sandboxNotes, () => silent, () => closed],
      trials: [
        (generation) => checkTlsFiles(world, generation),
        async (generation) => {
          await checkDatasources(world, generation);
          silent = await unreachableStores(world, generation);
        },
        async (generation) => {
          closed = await apiStoreNotes(generation, world.disk);
        },
      ],
      files: asked.files,
    });
  } catch (error) {
    if (!(error instanceof ConfigErrors)) throw error;
    // The name of the node leads nowhere, before any file is looked for.
    return {
      outcome: 'invalid',
      errors: error.errors,
      notices: [],
      warnings: [],
      notImplemented: [],
      configuration: undefined,
    };
  }
}

function saidAsJson(process: Process, result: CheckResult, asked: Words): number {
  process.say(`${JSON.stringify(report(result))}\n`);
  return exitCode(result, asked);
}

function exitCode(result: CheckResult, asked: Words): number {
  if (result.outcome === 'none') return 2;
  if (result.outcome === 'invalid') return 1;
  return asked.warningsAsErrors === true && result.warnings.length > 0 ? 1 : 0;
}
