import { configSchema, documentSchema, Manual, schemaDocument } from '../config/index.ts';
import { declaredOptions, moduleNames, product, version } from '../main/index.ts';
import type { Process } from '../world/index.ts';
import { commandNamed, understood } from './command-line.ts';

interface Words {
  readonly pretty?: boolean;
  readonly jsonSchema?: boolean;
}

/**
 * `impetus schema`: every option, scope and module as JSON, for editors and other programs.
 *
 * @returns 0, or 2 for wrong words
 */
export function schemaProgram(process: Process, words: readonly string[]): number {
  const command = commandNamed(
    'impetus schema',
    'Writes all options, scopes and modules of the configuration as JSON.',
    process,
  )
    .option('--pretty', 'with line breaks, for people')
    .option('--json-schema', 'the JSON Schema (draft 2020-12) of that JSON instead');
  const wrong = understood(command, words);
  if (wrong !== undefined) return wrong;
  const { pretty, jsonSchema } = command.opts<Words>();
  const document =
    jsonSchema === true
      ? documentSchema
      : schemaDocument(new Manual(configSchema(declaredOptions, moduleNames)), { name: product, version });
  process.say(`${JSON.stringify(document, undefined, pretty === true ? 2 : undefined)}\n`);
  return 0;
}
