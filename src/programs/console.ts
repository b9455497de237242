import { join } from 'node:path';
import { consoleClient, type Terminal } from '../console/index.ts';
import { version } from '../main/index.ts';
import type { Process, Programs, World } from '../world/index.ts';

/** `ec_console [ENDPOINT [COMMAND …]]`. @returns the exit codes of spec/listeners-and-console 15 */
export function consoleProgram(
  world: World,
  process: Process,
  home: string,
  words: readonly string[],
  terminal: Terminal,
  programs: Programs,
): Promise<number> {
  return consoleClient({
    ...world,
    process,
    programs,
    terminal,
    version,
    arguments: words,
    // A checkout's quickstart is found without an argument when no server is installed.
    defaults: ['/run/impetus/2025', join(home, 'var/control')],
  });
}
