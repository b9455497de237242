import { type Command, InvalidArgumentError } from 'commander';
import { type Cidr, cidrText, civilTime, millis, nearest, parseCidr } from '../base/index.ts';
import { ConfigErrors } from '../config/index.ts';
import { ApiKeyError, ApiKeyFile, apiKeyFile, GRANTS, type Grant, isGrant } from '../http/index.ts';
import type { Process, World } from '../world/index.ts';
import { commandNamed, USAGE, understood } from './command-line.ts';
import { loadFor } from './load-configuration.ts';

interface Words {
  readonly config?: string;
  readonly label?: string;
  readonly grant?: readonly Grant[];
  readonly from?: readonly Cidr[];
  readonly json?: boolean;
}

interface Part {
  readonly summary: string;
  /** Adds the words that only this part knows. */
  words(command: Command): Command;
  run(file: ApiKeyFile, process: Process, words: Words, rest: readonly string[]): Promise<void>;
}

const parts: Readonly<Record<string, Part>> = {
  create: {
    summary: 'make a key, and print it alone: it is shown this once',
    words: (command) =>
      command
        .requiredOption('-l, --label <text>', 'what it is for: shown by list')
        .option('-g, --grant <grant>', `a right; may be repeated (default: all): ${GRANTS.join(', ')}`, grants)
        .option('--from <block>', 'an address or block that it may be used from; may be repeated', blocks),
    async run(file, process, { label = '', grant = GRANTS, from = [] }) {
      process.say(`${await file.create(label, grant, from)}\n`);
    },
  },
  list: {
    summary: 'which keys there are, and when each was used last',
    words: (command) => command.option('--json', 'as JSON'),
    async run(file, process, { json }) {
      const uses = await file.uses();
      const rows = (await file.read()).map((key) => ({
        id: key.id,
        label: key.label,
        created: timeText(key.created),
        last_used: timeText(uses.get(key.id)),
        grants: key.grants,
        valid_ips: key.validIps.map(cidrText),
      }));
      process.say(json === true ? `${JSON.stringify(rows, undefined, 2)}\n` : table(rows));
    },
  },
  revoke: {
    summary: 'end a key, by its id or its label',
    words: (command) => command.argument('<key>', 'its id, or a label that only one key has'),
    async run(file, process, _words, [which = '']) {
      const { id, label } = await file.revoke(which);
      process.say(`revoked ${id} (${label})\n`);
    },
  },
};

/**
 * `impetus apikey PART`: keys of the HTTP interface, in the file that `API_Key_File` of the configuration names. A running
 * server takes notice within a second.
 *
 * @returns 0, 1 when the configuration or the file cannot be used, 2 for wrong words
 */
export async function apiKeyProgram(world: World, process: Process, words: readonly string[]): Promise<number> {
  const [name = '', ...rest] = words;
  const part = Object.hasOwn(parts, name) ? parts[name] : undefined;
  if (part === undefined) return help(process, name);
  const command = part
    .words(commandNamed(`impetus apikey ${name}`, `${part.summary}.`, process))
    .option('-c, --config <file>', 'configuration file (default: the search path, as in the manual)');
  const wrong = understood(command, rest);
  if (wrong !== undefined) return wrong;
  const options = command.opts<Words>();
  try {
    const configuration = await loadFor(world, process, options.config, { looksOnly: true });
    const path = configuration.current.global.get(apiKeyFile);
    await part.run(new ApiKeyFile({ ...world, path }), process, options, command.args);
    return 0;
  } catch (error) {
    if (error instanceof ConfigErrors) for (const line of error.checkLines) process.complain(`${line}\n`);
    else if (error instanceof ApiKeyError) process.complain(`impetus apikey: ${error.code}: ${error.message}\n`);
    else throw error;
    return 1;
  }
}

function help(process: Process, name: string): number {
  const list = Object.entries(parts).map(([each, { summary }]) => `  ${each.padEnd(12)}${summary}\n`);
  const text = `usage: impetus apikey PART [ARGUMENTS]\n\n${list.join('')}\nimpetus apikey PART --help explains each.\n`;
  if (name === '--help' || name === '-h' || name === 'help') {
    process.say(text);
    return 0;
  }
  const near = nearest(name, Object.keys(parts));
  const hint = near === undefined ? '' : `; did you mean '${near}'?`;
  process.complain(`${name === '' ? '' : `impetus apikey: there is no part '${name}'${hint}\n\n`}${text}`);
  return USAGE;
}

function grants(text: string, before: readonly Grant[] = []): readonly Grant[] {
  if (isGrant(text)) return [...new Set([...before, text])];
  const near = nearest(text, GRANTS);
  throw new InvalidArgumentError(
    text === 'users/manage'
      ? 'No key may make keys.'
      : `There is no such grant${near === undefined ? '' : `; did you mean ${near}?`}`,
  );
}

function blocks(text: string, before: readonly Cidr[] = []): readonly Cidr[] {
  const block = parseCidr(text);
  if (block === undefined) throw new InvalidArgumentError('An address or a block like 192.0.2.0/24 is wanted.');
  return [...before, block];
}

/** `2026-03-03 10:00:00` in UTC. */
function timeText(at: number | undefined): string | undefined {
  if (at === undefined) return undefined;
  const { year, month, day, hour, minute, second } = civilTime(millis(at));
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${year}-${two(month)}-${two(day)} ${two(hour)}:${two(minute)}:${two(second)}`;
}

interface Row {
  readonly id: string;
  readonly label: string;
  readonly created: string | undefined;
  readonly last_used: string | undefined;
  readonly grants: readonly string[];
  readonly valid_ips: readonly string[];
}

function table(rows: readonly Row[]): string {
  const lines = rows.map(({ id, label, created = '', last_used = 'never', grants: rights, valid_ips }) => {
    const from = valid_ips.length === 0 ? '' : `  from ${valid_ips.join(' ')}`;
    const all = rights.length === GRANTS.length ? 'all grants' : rights.join(' ');
    return `${id}  ${created}  ${last_used.padEnd(19)}  ${label}: ${all}${from}\n`;
  });
  return `${'ID'.padEnd(8)}  ${'CREATED (UTC)'.padEnd(19)}  ${'LAST USED (UTC)'.padEnd(19)}  LABEL\n${lines.join('')}`;
}
