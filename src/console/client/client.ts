import type { Clock, Network, Process } from '../../world/index.ts';
import { CommandLines, joinArguments, linesOf } from './command-lines.ts';
import { interact } from './interactive.ts';
import { type Connected, connectConsole, type Link } from './link.ts';
import { help, manual } from './manual.ts';
import { looksLikeEndpoint, readTarget, type Target } from './target.ts';
import type { Terminal } from './terminal.ts';

export interface ClientParts {
  readonly network: Network;
  readonly clock: Clock;
  readonly process: Process;
  readonly terminal: Terminal;
  /** For `--version`. */
  readonly version: string;
  /** Behind the program's name; those of the process when undefined. */
  readonly arguments?: readonly string[];
  /** Endpoints to try in turn when neither an argument nor `$CONTROL` names one; `/run/impetus/2025` when undefined. */
  readonly defaults?: readonly string[];
}

/** What a shell sees. */
const exits = { ok: 0, failed: 1, usage: 2, connect: 3, login: 4, unauthorized: 5, timeout: 6 } as const;

/** `ec_console [--man] [ENDPOINT [COMMAND …]]`. @returns the exit code of spec 15 */
export async function consoleClient(parts: ClientParts): Promise<number> {
  const wish = readArguments(parts.arguments ?? parts.process.arguments);
  switch (wish.kind) {
    case 'print':
      parts.process.say(
        wish.what === 'version' ? `ec_console ${parts.version}\n` : wish.what === 'manual' ? manual : help,
      );
      return exits.ok;
    case 'wrong':
      parts.process.complain(`ec_console: ${wish.why}\n${help}`);
      return exits.usage;
    case 'run':
      return run(parts, wish);
  }
}

interface Run {
  readonly kind: 'run';
  readonly endpoint: string | undefined;
  readonly command: string | undefined;
  readonly json: boolean;
  readonly timeoutSeconds: number;
}

type Wish =
  | Run
  | { readonly kind: 'print'; readonly what: 'help' | 'manual' | 'version' }
  | { readonly kind: 'wrong'; readonly why: string };

/** Options stand before the endpoint: what comes behind it belongs to the command. */
function readArguments(all: readonly string[]): Wish {
  const rest = [...all];
  let json = false;
  let timeoutSeconds = 60;
  for (let option = rest[0]; option?.startsWith('--'); option = rest[0]) {
    rest.shift();
    if (option === '--') break;
    if (option === '--man') return { kind: 'print', what: 'manual' };
    if (option === '--help') return { kind: 'print', what: 'help' };
    if (option === '--version') return { kind: 'print', what: 'version' };
    if (option === '--json') {
      json = true;
    } else if (option === '--timeout') {
      const value = rest.shift() ?? '';
      if (!/^[1-9]\d{0,5}$/.test(value)) return { kind: 'wrong', why: '--timeout wants a number of seconds' };
      timeoutSeconds = Number(value);
    } else {
      return { kind: 'wrong', why: `unknown option ${option}` };
    }
  }
  const endpoint = rest[0] !== undefined && looksLikeEndpoint(rest[0]) ? rest.shift() : undefined;
  return { kind: 'run', endpoint, command: rest.length === 0 ? undefined : joinArguments(rest), json, timeoutSeconds };
}

async function run(parts: ClientParts, wish: Run): Promise<number> {
  const found = await reach(parts, wish);
  if (found.kind !== 'reached') {
    parts.process.complain(`ec_console: ${found.why}\n`);
    return found.code;
  }
  const { link, target } = found;
  if (wish.command === undefined && parts.process.isTerminal.input) {
    await interact(
      {
        terminal: parts.terminal,
        clock: parts.clock,
        endpoint: target.text,
        json: wish.json,
        reconnect: () => dial(parts, wish, target),
      },
      link,
    );
    return exits.ok;
  }
  const code = await batch(parts, wish, link);
  link.close();
  await parts.terminal.flush();
  return code;
}

type EndpointTarget = Extract<Target, { kind: 'endpoint' }>;

type Reached =
  | { readonly kind: 'reached'; readonly link: Link; readonly target: EndpointTarget }
  | { readonly kind: 'not reached'; readonly code: number; readonly why: string };

/** The first endpoint that answers; when none does, what the last one said. */
async function reach(parts: ClientParts, wish: Run): Promise<Reached> {
  const fromShell = wish.endpoint ?? parts.process.environment('CONTROL');
  const candidates =
    fromShell === undefined || fromShell === '' ? (parts.defaults ?? ['/run/impetus/2025']) : [fromShell];
  let last: Reached = { kind: 'not reached', code: exits.connect, why: 'no endpoint is known' };
  for (const text of candidates) {
    const target = readTarget(text, parts.process.directory);
    if (target.kind !== 'endpoint')
      return { kind: 'not reached', code: target.kind === 'usage' ? exits.usage : exits.login, why: target.why };
    const connected = await dial(parts, wish, target);
    if (connected.kind === 'connected') return { kind: 'reached', link: connected.link, target };
    if (connected.kind === 'timeout') last = { kind: 'not reached', code: exits.timeout, why: `${text}: no answer` };
    else last = { kind: 'not reached', code: exits.connect, why: `cannot connect to ${text}: ${connected.why}` };
  }
  return last;
}

const dial = ({ network, clock }: ClientParts, { timeoutSeconds }: Run, target: EndpointTarget): Promise<Connected> =>
  connectConsole({ network, clock, timeoutSeconds }, target.endpoint);

/** Every command is run, also after one that failed; the exit code is that of the first that did. */
async function batch(parts: ClientParts, wish: Run, link: Link): Promise<number> {
  let code: number = exits.ok;
  for await (const line of commandsOf(parts, wish)) {
    if (line === 'quit' || line === 'exit') break;
    const answer = await link.ask(wish.json ? `json ${line}` : line, (bytes) => parts.terminal.write(bytes));
    if (answer.kind !== 'done') {
      parts.process.complain(
        `ec_console: ${answer.kind === 'timeout' ? 'no answer from the server' : `connection lost: ${answer.why}`}\n`,
      );
      return answer.kind === 'timeout' ? exits.timeout : exits.connect;
    }
    if (code === exits.ok) code = answer.code;
  }
  return code;
}

async function* commandsOf({ process }: ClientParts, { command }: Run): AsyncGenerator<string> {
  const lines = new CommandLines();
  if (command !== undefined) {
    const line = lines.add(command) ?? lines.end();
    if (line !== undefined) yield line;
    return;
  }
  for await (const typed of linesOf(process.input())) {
    const line = lines.add(typed);
    if (line !== undefined) yield line;
  }
  const left = lines.end();
  if (left !== undefined) yield left;
}
