import { isAbsolute, join } from 'node:path';
import type { Command } from 'commander';
import {
  ConfigError,
  ConfigErrors,
  type LiveConfiguration,
  type LoadOptions,
  loadConfiguration,
  searchPath,
} from '../config/index.ts';
import { checkTlsFiles, declaredOptions, moduleNames } from '../main/index.ts';
import type { Process, World } from '../world/index.ts';

/** Flags of the programs that read a configuration. */
export interface RemoteWords {
  readonly allowRemoteIncludes?: boolean;
  readonly includeCopies?: string;
}

/** Where `persist://` keeps copies when nobody says otherwise. */
const COPIES = '/var/lib/impetus/includes';

/** Adds the flags that let included files come from elsewhere. */
export function withRemoteIncludes(command: Command): Command {
  return command
    .option('--allow-remote-includes', 'read included files of http://, https:// and persist:// too')
    .option('--include-copies <directory>', `where persist:// keeps its copies (default: ${COPIES})`);
}

/**
 * Reads the configuration that a program is asked to work with.
 *
 * @param file  as given with `-c`, relative to the current directory; undefined: looked for on the search path
 * @param how   flags of `withRemoteIncludes`; `looksOnly` for a program that changes nothing on the disk
 * @throws ConfigErrors
 */
export async function loadFor(
  world: World,
  process: Process,
  file: string | undefined,
  how: LoadWays = {},
): Promise<LiveConfiguration> {
  const configuration = await loadConfiguration(loadOptions(world, process, file, how));
  if (how.looksOnly !== true) await checkTlsFiles(world, configuration.current);
  return configuration;
}

export interface LoadWays extends RemoteWords {
  /** For a program that changes nothing on the disk. */
  readonly looksOnly?: boolean;
  /** The name of the node to read it as; undefined: this one. */
  readonly node?: string;
}

/**
 * Where a configuration is, and what this program reads of it.
 *
 * @throws ConfigErrors
 */
export function loadOptions(world: World, process: Process, file: string | undefined, how: LoadWays = {}): LoadOptions {
  const nodeName =
    how.node ?? process.environment('IMPETUS_NODE_NAME') ?? process.environment('EC_NODE_NAME') ?? process.hostName;
  const variable = process.environment('IMPETUS_CONF_SEARCH_PATH') ?? process.environment('EC_CONF_SEARCH_PATH');
  let path: readonly string[];
  try {
    path = searchPath({ nodeName, variable });
  } catch (error) {
    throw error instanceof ConfigError ? new ConfigErrors([error]) : error;
  }
  return {
    disk: world.disk,
    clock: world.clock,
    ...(file === undefined ? {} : { file: resolved(process, file) }),
    searchPath: path,
    declared: declaredOptions,
    modules: moduleNames,
    looksOnly: how.looksOnly ?? false,
    ...(how.allowRemoteIncludes === true
      ? { remoteIncludes: { web: world.web, copies: resolved(process, how.includeCopies ?? COPIES) } }
      : {}),
  };
}

function resolved(process: Process, path: string): string {
  return isAbsolute(path) ? path : join(process.directory, path);
}
