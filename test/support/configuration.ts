import { expect } from 'vitest';
import {
  type CheckResult,
  ConfigErrors,
  checkConfiguration,
  type LiveConfiguration,
  loadConfiguration,
  type Option,
} from '../../src/config/index.ts';
import { type SimDisk, simWorld } from '../../src/world/sim/index.ts';

export interface ConfigurationForTest {
  readonly configuration: LiveConfiguration;
  readonly disk: SimDisk;
}

/** Writes files (a text alone is `/etc/impetus/impetus.conf`) to a simulated disk. */
export async function diskWith(files: string | Readonly<Record<string, string>>): Promise<SimDisk> {
  const { disk } = simWorld();
  const all = typeof files === 'string' ? { [MAIN]: files } : files;
  for (const [path, text] of Object.entries(all)) {
    await disk.makeDirectory(path.slice(0, path.lastIndexOf('/')));
    await disk.replace(path, Buffer.from(text));
  }
  return disk;
}

/** A configuration loaded from a simulated disk. @throws ConfigErrors as `loadConfiguration` does */
export async function configured(
  files: string | Readonly<Record<string, string>>,
  declared: readonly Option<unknown>[],
  modules: readonly string[] = [],
): Promise<ConfigurationForTest> {
  const disk = await diskWith(files);
  const { clock } = simWorld();
  return {
    disk,
    configuration: await loadConfiguration({ disk, clock, searchPath: ['/etc/impetus'], declared, modules }),
  };
}

/** What is wrong with a configuration, a line for each error. Fails where nothing is. */
export async function errorLinesOf(loading: Promise<unknown>): Promise<readonly string[]> {
  try {
    await loading;
  } catch (error) {
    if (error instanceof ConfigErrors) return error.checkLines;
    throw error;
  }
  return expect.fail('it was loaded');
}

/** The pedantic check of files, with nothing that any room declares. */
export async function checked(
  files: string | Readonly<Record<string, string>>,
  modules: readonly string[] = [],
): Promise<CheckResult> {
  const { clock } = simWorld();
  const disk = await diskWith(files);
  return checkConfiguration({ disk, clock, file: MAIN, searchPath: [], declared: [], modules, pedantic: true });
}

export const MAIN = '/etc/impetus/impetus.conf';
