import { type LiveConfiguration, loadConfiguration, type Option } from '../../src/config/index.ts';
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

export const MAIN = '/etc/impetus/impetus.conf';
