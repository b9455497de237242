import { isAbsolute, join } from 'node:path';
import { ConfigError, ConfigErrors, type LiveConfiguration, loadConfiguration, searchPath } from '../config/index.ts';
import { checkTlsFiles, declaredOptions, moduleNames } from '../main/index.ts';
import type { Process, World } from '../world/index.ts';

/**
 * Reads the configuration that a program is asked to work with.
 *
 * @param file  as given with `-c`, relative to the current directory; undefined: looked for on the search path
 * @throws ConfigErrors
 */
export async function loadFor(world: World, process: Process, file: string | undefined): Promise<LiveConfiguration> {
  const nodeName = process.environment('IMPETUS_NODE_NAME') ?? process.environment('EC_NODE_NAME') ?? process.hostName;
  const variable = process.environment('IMPETUS_CONF_SEARCH_PATH') ?? process.environment('EC_CONF_SEARCH_PATH');
  let path: readonly string[];
  try {
    path = searchPath({ nodeName, variable });
  } catch (error) {
    throw error instanceof ConfigError ? new ConfigErrors([error]) : error;
  }
  const configuration = await loadConfiguration({
    disk: world.disk,
    clock: world.clock,
    ...(file === undefined ? {} : { file: isAbsolute(file) ? file : join(process.directory, file) }),
    searchPath: path,
    declared: declaredOptions,
    modules: moduleNames,
  });
  await checkTlsFiles(world, configuration.current);
  return configuration;
}
