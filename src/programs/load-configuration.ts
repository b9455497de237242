import { isAbsolute, join } from 'node:path';
import {
  ConfigError,
  ConfigErrors,
  type LiveConfiguration,
  type LoadOptions,
  loadConfiguration,
  searchPath,
} from '../config/index.ts';
import { declaredOptions, moduleNames } from '../main/index.ts';
import type { Process, World } from '../world/index.ts';

/**
 * Reads the configuration that a program is asked to work with.
 *
 * @param file  as given with `-c`, relative to the current directory; undefined: looked for on the search path
 * @throws ConfigErrors
 */
export async function loadFor(world: World, process: Process, file: string | undefined): Promise<LiveConfiguration> {
  return loadConfiguration(loadOptions(world, process, file));
}

/**
 * Where a configuration is, and what this program reads of it.
 *
 * @param node  the name of the node to read it as; undefined: this one
 * @throws ConfigErrors
 */
export function loadOptions(world: World, process: Process, file: string | undefined, node?: string): LoadOptions {
  const nodeName =
    node ?? process.environment('IMPETUS_NODE_NAME') ?? process.environment('EC_NODE_NAME') ?? process.hostName;
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
    ...(file === undefined ? {} : { file: isAbsolute(file) ? file : join(process.directory, file) }),
    searchPath: path,
    declared: declaredOptions,
    modules: moduleNames,
  };
}
