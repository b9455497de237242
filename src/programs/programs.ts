import { nearest } from '../base/index.ts';
import type { Terminal } from '../console/index.ts';
import { version } from '../main/index.ts';
import type { Process, Programs, World } from '../world/index.ts';
import { apiKeyProgram } from './api-key.ts';
import { checkProgram, validateProgram } from './check.ts';
import { USAGE } from './command-line.ts';
import { consoleProgram } from './console.ts';
import { docsProgram } from './docs.ts';
import { dumpProgram, ecDumpConfigProgram } from './dump.ts';
import { md5passwdProgram, passwdProgram } from './passwd.ts';
import { quickstartProgram } from './quickstart.ts';
import { schemaProgram } from './schema.ts';
import { sendProgram } from './send.ts';
import { sinkProgram } from './sink.ts';
import { spoolProgram } from './spool.ts';
import { startProgram } from './start.ts';

/** What the entry hands to every program. */
export interface Shell {
  readonly world: World;
  readonly process: Process;
  readonly programs: Programs;
  /** The folder of the checkout or of the installation. */
  readonly home: string;
  /** The real terminal; made only for who wants it. */
  terminal(): Terminal;
}

interface Program {
  readonly summary: string;
  run(shell: Shell, words: readonly string[]): Promise<number>;
}

const programs: Readonly<Record<string, Program>> = {
  start: {
    summary: 'run the server in the foreground (-c FILE)',
    run: ({ world, process }, words) => startProgram(world, process, words),
  },
  check: {
    summary: 'check a configuration (-c FILE), or tell what is implemented (--coverage)',
    run: ({ world, process }, words) => checkProgram(world, process, words),
  },
  docs: {
    summary: 'explain an option, a scope or a module: docs option NAME',
    run: async ({ process }, words) => docsProgram(process, words),
  },
  schema: {
    summary: 'all options, scopes and modules as JSON, or the HTTP interface as OpenAPI',
    run: async ({ process }, words) => schemaProgram(process, words),
  },
  dump: {
    summary: 'print the effective configuration: --text, --json, --xml',
    run: ({ world, process }, words) => dumpProgram(world, process, words),
  },
  ec_dump_config: {
    summary: 'the same as XML, in the words of ec_dump_config',
    run: ({ world, process }, words) => ecDumpConfigProgram(world, process, words),
  },
  quickstart: {
    summary: 'run a server and a sink below ./var',
    run: ({ world, process }) => quickstartProgram(world, process),
  },
  send: {
    summary: 'send test messages',
    run: ({ world, process, terminal }, words) => sendProgram(world, process, words, terminal),
  },
  sink: {
    summary: 'take mail as mailbox providers do',
    run: ({ world, process }, words) => sinkProgram(world, process, words),
  },
  console: {
    summary: 'talk to a running server (also ec_console)',
    run: ({ world, process, home, terminal, programs: others }, words) =>
      consoleProgram(world, process, home, words, terminal(), others),
  },
  passwd: {
    summary: 'make or change a password of a console user, for a SCRAM or a digest file',
    run: (shell, words) => passwdProgram(shell, words),
  },
  md5passwd: {
    summary: 'the same for digest files, in the words of ec_md5passwd',
    run: (shell, words) => md5passwdProgram(shell, words),
  },
  spool: {
    summary: 'look into the spool: list, show, check, extract (also ec_show, ec_spool_check)',
    run: (shell, words) => spoolProgram(shell, words),
  },
  apikey: {
    summary: 'keys of the HTTP interface: create, list, revoke',
    run: ({ world, process }, words) => apiKeyProgram(world, process, words),
  },
  validate: {
    summary: 'check a configuration, in the words of validate_config',
    run: ({ world, process }, words) => validateProgram(world, process, words),
  },
};

/** Runs a program by its name. @returns its exit code */
export async function runProgram(shell: Shell, name: string, words: readonly string[]): Promise<number> {
  const { process } = shell;
  if (name === '--version' || name === 'version') {
    process.say(`impetus ${version}\n`);
    return 0;
  }
  const program = Object.hasOwn(programs, name) ? programs[name] : undefined;
  if (program !== undefined) return program.run(shell, words);
  const list = Object.entries(programs).map(([each, { summary }]) => `  ${each.padEnd(16)}${summary}\n`);
  const help = `usage: impetus PROGRAM [ARGUMENTS]\n\n${list.join('')}\nimpetus PROGRAM --help explains each.\n`;
  if (name === '--help' || name === 'help') {
    process.say(help);
    return 0;
  }
  const near = nearest(name, Object.keys(programs));
  const complaint =
    name === ''
      ? ''
      : `impetus: there is no program '${name}'${near === undefined ? '' : `; did you mean '${near}'?`}\n\n`;
  process.complain(`${complaint}${help}`);
  return USAGE;
}
