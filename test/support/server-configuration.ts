import { type LiveConfiguration, loadConfiguration } from '../../src/config/index.ts';
import { declaredOptions, moduleNames } from '../../src/main/index.ts';
import type { World } from '../../src/world/index.ts';

/** A file read as the server reads it, with all options and modules that there are. @throws ConfigErrors */
export const serverConfiguration = (
  { disk, clock }: Pick<World, 'disk' | 'clock'>,
  file: string,
): Promise<LiveConfiguration> =>
  loadConfiguration({ disk, clock, file, searchPath: [], declared: declaredOptions, modules: moduleNames });
