import { isAbsolute, join } from 'node:path';
import type { Command } from 'commander';
import { ConfigErrors } from '../config/index.ts';
import type { Terminal } from '../console/index.ts';
import { SpoolError, SpoolReader, spoolbase } from '../spool/index.ts';
import type { Process, World } from '../world/index.ts';
import { loadFor } from './load-configuration.ts';

/** Exit codes of the programs that look at a spool (manual page ec_spool_check; spec: programs). */
export const FOUND = 0;
export const NOT_FOUND = 1;
export const FATAL = 2;

/** What they all need from the shell. */
export interface SpoolShell {
  readonly world: World;
  readonly process: Process;
  /** For what must go out as it is, or at the pace of its reader. */
  terminal(): Pick<Terminal, 'write' | 'flush'>;
}

/** Which spool is meant. */
export interface WhichSpool {
  readonly config?: string;
  readonly spool?: string;
}

export function withSpoolOptions(command: Command): Command {
  return command
    .option(
      '-c, --config <file>',
      'configuration whose Spoolbase is meant (default: the search path, as in the manual)',
    )
    .option('--spool <directory>', 'the spool itself, without any configuration');
}

/**
 * The directory of the spool that is meant.
 *
 * @returns undefined when the configuration does not tell; the reason was said
 */
export async function spoolDirectory(shell: SpoolShell, which: WhichSpool): Promise<string | undefined> {
  const { world, process } = shell;
  if (which.spool !== undefined) return isAbsolute(which.spool) ? which.spool : join(process.directory, which.spool);
  try {
    return (await loadFor(world, process, which.config, { looksOnly: true })).current.global.get(spoolbase);
  } catch (error) {
    if (!(error instanceof ConfigErrors)) throw error;
    for (const line of error.checkLines) process.complain(`${line}\n`);
    return undefined;
  }
}

/**
 * Opens a spool, without its lock, and does something with what is in it.
 *
 * @returns the exit code of `use`, or 2 when the spool cannot be read
 */
export async function lookAt(
  shell: SpoolShell,
  which: WhichSpool,
  use: (reader: SpoolReader) => Promise<number>,
): Promise<number> {
  const directory = await spoolDirectory(shell, which);
  if (directory === undefined) return FATAL;
  try {
    await using reader = await SpoolReader.open(shell.world.disk, directory);
    return await use(reader);
  } catch (error) {
    return fatal(shell, error);
  }
}

/** Says why a spool cannot be read. @throws what is no trouble of the operator's */
export function fatal({ process }: SpoolShell, error: unknown): number {
  if (!(error instanceof SpoolError)) throw error;
  process.complain(`impetus spool: ${error.message}\n`);
  return FATAL;
}

/** Names what could not be read. @returns whether there was anything */
export function complainOf({ process }: SpoolShell, reader: SpoolReader): boolean {
  const { damage } = reader;
  for (const { place, reason } of damage) process.complain(`impetus spool: ${place}: ${reason}\n`);
  if (damage.length > 0) process.complain('impetus spool check says more.\n');
  return damage.length > 0;
}
