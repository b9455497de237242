import { nearest } from '../base/index.ts';
import { USAGE } from './command-line.ts';
import { spoolCheck } from './spool-check.ts';
import { ecShow } from './spool-ec-show.ts';
import { spoolExtract } from './spool-extract.ts';
import { spoolList } from './spool-list.ts';
import type { SpoolShell } from './spool-look.ts';
import { spoolShow } from './spool-show.ts';

interface Part {
  readonly summary: string;
  run(shell: SpoolShell, words: readonly string[]): Promise<number>;
}

const parts: Readonly<Record<string, Part>> = {
  list: { summary: 'one line for each message', run: spoolList },
  show: { summary: 'envelope, state and header of a message (ID)', run: spoolShow },
  check: { summary: 'read everything and say what is wrong (also ec_spool_check)', run: spoolCheck },
  extract: { summary: 'write a message as a plain .eml (ID [FILE])', run: spoolExtract },
  ec_show: { summary: 'list, count or show, in the words of ec_show', run: ecShow },
};

/** `impetus spool PART`: looks into a spool, of a stopped or a running server, and changes nothing. @returns the exit code */
export async function spoolProgram(shell: SpoolShell, words: readonly string[]): Promise<number> {
  const [name = '', ...rest] = words;
  const part = Object.hasOwn(parts, name) ? parts[name] : undefined;
  if (part !== undefined) return part.run(shell, rest);
  const list = Object.entries(parts).map(([each, { summary }]) => `  ${each.padEnd(12)}${summary}\n`);
  const help = `usage: impetus spool PART [ARGUMENTS]\n\n${list.join('')}\nimpetus spool PART --help explains each.\n`;
  if (name === '--help' || name === '-h' || name === 'help') {
    shell.process.say(help);
    return 0;
  }
  const near = nearest(name, Object.keys(parts));
  const hint = near === undefined ? '' : `; did you mean '${near}'?`;
  shell.process.complain(`${name === '' ? '' : `impetus spool: there is no part '${name}'${hint}\n\n`}${help}`);
  return USAGE;
}
