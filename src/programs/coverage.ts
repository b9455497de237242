import {
  ConfigErrors,
  configSchema,
  coverageData,
  coverageText,
  Manual,
  usageData,
  usageText,
  usedSettings,
} from '../config/index.ts';
import { declaredOptions, moduleNames } from '../main/index.ts';
import type { Process, World } from '../world/index.ts';
import { loadFor } from './load-configuration.ts';

/**
 * `impetus check --coverage`: which settings of Momentum are implemented; with `-c FILE`, which of those that it uses.
 *
 * @param file as given with `-c`; undefined: the whole table, for which no configuration is needed
 * @returns 0, 1 for an invalid configuration, 2 when there is none
 */
export async function coverageOf(
  world: World,
  process: Process,
  file: string | undefined,
  json: boolean,
): Promise<number> {
  const print = (data: unknown, text: string): number => {
    process.say(json ? `${JSON.stringify(data)}\n` : text);
    return 0;
  };
  if (file === undefined) {
    const manual = new Manual(configSchema(declaredOptions, moduleNames));
    return print(coverageData(manual), coverageText(manual));
  }
  try {
    const configuration = await loadFor(world, process, file, { looksOnly: true });
    const manual = new Manual(configuration.schema);
    const used = usedSettings(configuration.current.tree, configuration.schema);
    return print(usageData(manual, configuration.file, used), usageText(manual, configuration.file, used));
  } catch (error) {
    if (!(error instanceof ConfigErrors)) throw error;
    if (json) process.say(`${JSON.stringify({ valid: false, errors: error.checkLines })}\n`);
    else for (const line of error.checkLines) process.complain(`${line}\n`);
    return error.reason === 'not found' ? 2 : 1;
  }
}
