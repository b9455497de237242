import { join } from 'node:path';
import type { Chance, Clock, Disk, Hashing, Network, Process, Programs } from '../../world/index.ts';
import { CommandLines, joinArguments, linesOf } from './command-lines.ts';
import { credentialsFor } from './credentials.ts';
import { interact } from './interactive.ts';
import { type Connected, connectConsole, type Link } from './link.ts';
import { type AskCredentials, logIn } from './log-in.ts';
import { help, manual } from './manual.ts';
import { type EndpointTarget, looksLikeEndpoint, readTarget } from './target.ts';
import type { Terminal } from './terminal.ts';

export interface ClientParts {
  readonly network: Network;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly disk: Disk;
  readonly hashing: Hashing;
  /** For ssh. */
  readonly programs: Programs;
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
  readonly passwordFile: string | undefined;
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
  let passwordFile: string | undefined;
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
    } else if (option === '--password-file') {
      passwordFile = rest.shift();
      if (passwordFile === undefined || passwordFile === '')
        return { kind: 'wrong', why: '--password-file wants a file' };
    } else {
      return { kind: 'wrong', why: `unknown option ${option}` };
    }
  }
  const endpoint = rest[0] !== undefined && looksLikeEndpoint(rest[0]) ? rest.shift() : undefined;
  const command = rest.length === 0 ? undefined : joinArguments(rest);
  return { kind: 'run', endpoint, command, json, timeoutSeconds, passwordFile };
}

async function run(parts: ClientParts, wish: Run): Promise<number> {
  const found = await reach(parts, wish);
  if (found.kind !== 'reached') {
    parts.process.complain(`ec_console: ${found.why}\n`);
    return found.code;
  }
  const { link, target, again } = found;
  if (wish.command === undefined && parts.process.isTerminal.input) {
    await interact(
      {
        terminal: parts.terminal,
        clock: parts.clock,
        endpoint: target.text,
        json: wish.json,
        reconnect: again,
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

type Reached =
  | {
      readonly kind: 'reached';
      readonly link: Link;
      readonly target: EndpointTarget;
      /** For a connection that was lost. */
      again(): Promise<Connected>;
    }
  | { readonly kind: 'not reached'; readonly code: number; readonly why: string };

/** The first endpoint that answers; when none does, what the last one said. */
async function reach(parts: ClientParts, wish: Run): Promise<Reached> {
  const { process } = parts;
  const fromShell = wish.endpoint ?? process.environment('CONTROL');
  const candidates =
    fromShell === undefined || fromShell === '' ? (parts.defaults ?? ['/run/impetus/2025']) : [fromShell];
  let last: Reached = { kind: 'not reached', code: exits.connect, why: 'no endpoint is known' };
  for (const text of candidates) {
    const target = readTarget(text, process.directory);
    if (target.kind !== 'endpoint') return { kind: 'not reached', code: exits.usage, why: target.why };
    const connected = await dial(parts, wish, target);
    if (connected.kind === 'connected') return enter(parts, wish, target, connected.link);
    if (connected.kind === 'timeout') last = { kind: 'not reached', code: exits.timeout, why: `${text}: no answer` };
    else if (connected.denied) return { kind: 'not reached', code: exits.login, why: `${text}: ${connected.why}` };
    else last = { kind: 'not reached', code: exits.connect, why: `cannot connect to ${text}: ${connected.why}` };
  }
  return last;
}

/** Logs in where that is wanted. */
async function enter(parts: ClientParts, wish: Run, target: EndpointTarget, link: Link): Promise<Reached> {
  const { process } = parts;
  const passwordFile = wish.passwordFile && join(process.directory, wish.passwordFile);
  const asked =
    link.hello.login === undefined
      ? async () => undefined
      : await credentialsFor(target, {
          ...parts,
          passwordFile: wish.passwordFile?.startsWith('/') === true ? wish.passwordFile : passwordFile,
        });
  if (typeof asked === 'string') {
    link.close();
    return { kind: 'not reached', code: exits.login, why: asked };
  }
  const entered = await logInOver(parts, target, link, asked);
  if (entered.kind === 'connected') {
    return {
      kind: 'reached',
      link,
      target,
      async again() {
        const connected = await dial(parts, wish, target);
        return connected.kind === 'connected' ? logInOver(parts, target, connected.link, asked) : connected;
      },
    };
  }
  if (entered.kind === 'timeout') return { kind: 'not reached', code: exits.timeout, why: `${target.text}: no answer` };
  const code = entered.denied === true ? exits.login : exits.connect;
  return { kind: 'not reached', code, why: `${target.text}: ${entered.why}` };
}

async function logInOver(
  parts: ClientParts,
  target: EndpointTarget,
  link: Link,
  ask: AskCredentials,
): Promise<Connected> {
  const warn = (text: string): void => parts.process.complain(`ec_console: ${text}\n`);
  const entered = await logIn(link, target, ask, { ...parts, warn });
  if (entered.kind === 'in') return { kind: 'connected', link };
  link.close();
  if (entered.kind === 'timeout') return entered;
  return { kind: 'lost', why: entered.why, ...(entered.kind === 'failed' ? { denied: true } : {}) };
}

function dial(
  { network, programs, clock }: ClientParts,
  { timeoutSeconds }: Run,
  { endpoint, ssh }: EndpointTarget,
): Promise<Connected> {
  return connectConsole({ clock, timeoutSeconds }, (host) =>
    ssh === undefined ? network.connect(endpoint, undefined, host) : programs.pipe('ssh', ssh, host),
  );
}

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
