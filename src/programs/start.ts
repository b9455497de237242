import { InvalidArgumentError } from 'commander';
import { ConfigErrors } from '../config/index.ts';
import { buildServer, ListenError, SERVICES, type Server, type Service, SpoolError } from '../main/index.ts';
import type { Process, World } from '../world/index.ts';
import { commandNamed, understood } from './command-line.ts';
import { loadFor, type RemoteWords, withRemoteIncludes } from './load-configuration.ts';

/** Exit codes of the server (spec: programs, ecelerity). */
const CONFIGURATION = 1;
const LISTENER = 2;
const LOCK = 3;
/** What a second SIGTERM, or an order that takes longer than this, ends without ceremony. */
const PATIENCE_MILLIS = 60_000;

/** What may be said about a run. */
interface Ways extends RemoteWords {
  readonly tolerateListeners?: boolean;
  readonly skip?: readonly Service[];
}

interface Words extends Ways {
  readonly config?: string;
}

/**
 * `impetus start -c FILE`: the server in the foreground, until SIGTERM or SIGINT. SIGHUP reloads, SIGUSR2 reopens logs.
 *
 * @returns 0 after an orderly end, 1 configuration, 2 listener, 3 the spool has another owner
 */
export async function startProgram(world: World, process: Process, words: readonly string[]): Promise<number> {
  const command = commandNamed('impetus start', 'Runs the server in the foreground.', process)
    .option('-c, --config <file>', 'configuration file (default: the search path, as in the manual)')
    .option('-d, --foreground', 'stay in the foreground: the server always does')
    .option('-n, --skip <service>', `do without ${SERVICES.join(', ')} in this run; may be repeated`, skipping)
    .option('--tolerate-listeners', 'start also when a listener cannot be opened: an error in the log tells of it');
  withRemoteIncludes(command);
  const wrong = understood(command, words);
  if (wrong !== undefined) return wrong;
  const { config, ...ways } = command.opts<Words>();
  const ready = (server: Server): void => process.say(`${readyLine(server, process)}\n`);
  return runServer(world, process, config, ready, ways);
}

function skipping(word: string, before: readonly Service[] = []): readonly Service[] {
  const service = SERVICES.find((each) => each === word.toLowerCase());
  if (service === undefined) throw new InvalidArgumentError(`It is one of ${SERVICES.join(', ')}.`);
  return [...before, service];
}

/** One line that says where everything is. */
export function readyLine(server: Server, process: Process): string {
  return `impetus ${server.version} is ready: ${server.doors.join(', ')}; spool ${server.spoolDirectory}; pid ${process.id}`;
}

/**
 * Builds the house, keeps it until a signal or the console ends it, and closes it in order.
 *
 * @param ready  called once when mail can come in
 */
export async function runServer(
  world: World,
  process: Process,
  file: string | undefined,
  ready: (server: Server) => void | Promise<void>,
  ways: Ways = {},
): Promise<number> {
  let server: Server;
  const obey = wishes(process);
  try {
    const configuration = await loadFor(world, process, file, ways);
    const { tolerateListeners = false, skip = [] } = ways;
    server = await buildServer({ world, process, configuration, tolerateListeners, skip });
  } catch (error) {
    const code = complain(process, error);
    if (code === undefined) throw error;
    return code;
  }
  const ended = new Promise<void>((resolve) => {
    let asked = 0;
    const stop = (): void => {
      asked++;
      if (asked === 1) resolve();
      else process.exit(1);
    };
    server.onShutdown(stop);
    process.onSignal('SIGTERM', stop);
    process.onSignal('SIGINT', stop);
  });
  obey(server);
  await ready(server);
  await ended;
  await server.close(PATIENCE_MILLIS);
  return 0;
}

/**
 * Hears SIGHUP and SIGUSR2 from now on. Whoever sends one cannot know that we are still starting, and unheard it would
 * end us.
 *
 * @returns to be called with the server, which then does what was wished for, and what will be
 */
function wishes(process: Process): (server: Server) => void {
  let server: Server | undefined;
  const meanwhile = new Set<(server: Server) => unknown>();
  const on = (signal: 'SIGHUP' | 'SIGUSR2', run: (server: Server) => unknown): Disposable =>
    process.onSignal(signal, () => void (server === undefined ? meanwhile.add(run) : run(server)));
  on('SIGHUP', (running) => running.reload());
  on('SIGUSR2', (running) => running.reopenLogs());
  return (built) => {
    server = built;
    for (const run of meanwhile) void run(built);
  };
}

/** @returns the exit code, or undefined when this is no trouble of the operator's */
function complain(process: Process, error: unknown): number | undefined {
  if (error instanceof ConfigErrors) {
    for (const line of error.checkLines) process.complain(`${line}\n`);
    process.complain('impetus: not started\n');
    return CONFIGURATION;
  }
  if (error instanceof SpoolError) {
    process.complain(`impetus: ${error.message}\n`);
    return error.code === 'IMP_SPOOL_LOCKED' ? LOCK : CONFIGURATION;
  }
  if (error instanceof ListenError) {
    process.complain(`impetus: ${error.message}\n`);
    return LISTENER;
  }
  return undefined;
}
