import { configSchema, documentSchema, Manual, schemaDocument } from '../config/index.ts';
import { apiDocument, declaredOptions, moduleNames, product, version } from '../main/index.ts';
import type { Process } from '../world/index.ts';
import { commandNamed, USAGE, understood } from './command-line.ts';

interface Words {
  readonly pretty?: boolean;
  readonly jsonSchema?: boolean;
  readonly openapi?: boolean;
}

/**
 * `impetus schema`: every option, scope and module as JSON, for editors and other programs; or the HTTP API as OpenAPI.
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
    .option('--json-schema', 'the JSON Schema (draft 2020-12) of that JSON instead')
    .option('--openapi', 'the OpenAPI 3.1 document of the HTTP interface instead');
  const wrong = understood(command, words);
  if (wrong !== undefined) return wrong;
  const { pretty, jsonSchema, openapi } = command.opts<Words>();
  if (jsonSchema === true && openapi === true) {
    process.complain('impetus schema: --json-schema and --openapi exclude each other\n');
    return USAGE;
  }
  const document =
    openapi === true
      ? apiDocument({ name: product, version })
      : jsonSchema === true
        ? documentSchema
        : schemaDocument(new Manual(configSchema(declaredOptions, moduleNames)), { name: product, version });
  process.say(`${JSON.stringify(document, undefined, pretty === true ? 2 : undefined)}\n`);
  return 0;
}
