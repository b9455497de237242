import { askManual, configSchema, Manual, SUBJECTS, type Subject } from '../config/index.ts';
import { declaredOptions, moduleNames } from '../main/index.ts';
import type { Process } from '../world/index.ts';
import { commandNamed, USAGE, understood } from './command-line.ts';

interface Words {
  readonly scope?: string;
  readonly json?: boolean;
}

/**
 * `impetus docs option NAME`, `docs scope NAME`, `docs module NAME`: what there is to know about it. No configuration
 * and no server are needed.
 *
 * @returns 0 found, 1 there is no such name, 2 wrong words
 */
export function docsProgram(process: Process, words: readonly string[]): number {
  const command = commandNamed('impetus docs', 'Explains an option, a scope or a module of the configuration.', process)
    .argument('<subject>', `one of ${SUBJECTS.join(', ')}`)
    .argument('<name>', 'as in the configuration, in any case')
    .option('--scope <scope>', 'of options with one name only the one that may stand there')
    .option('--json', 'the same as JSON');
  const wrong = understood(command, words);
  if (wrong !== undefined) return wrong;
  const [subject = '', name = ''] = command.args;
  const { scope, json } = command.opts<Words>();
  const known = SUBJECTS.find((each) => each === subject);
  if (known === undefined || (scope !== undefined && known !== 'option')) {
    process.complain(
      known === undefined
        ? `impetus docs: '${subject}' is none of ${SUBJECTS.join(', ')}\n`
        : 'impetus docs: --scope belongs to option\n',
    );
    return USAGE;
  }
  return told(process, known, name, scope, json === true);
}

function told(process: Process, subject: Subject, name: string, scope: string | undefined, json: boolean): number {
  const answer = askManual(new Manual(configSchema(declaredOptions, moduleNames)), subject, name, scope);
  if (json) process.say(`${JSON.stringify(answer.data, undefined, 2)}\n`);
  else if (answer.found) process.say(answer.text);
  else process.complain(answer.text);
  return answer.found ? 0 : 1;
}
