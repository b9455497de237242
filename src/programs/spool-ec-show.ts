import { commandNamed, USAGE, understood } from './command-line.ts';
import { type SpoolFilter, withFilterOptions } from './spool-filter.ts';
import { COLUMNS, countEntries, listEntries } from './spool-list.ts';
import { lookAt, type SpoolShell, type WhichSpool, withSpoolOptions } from './spool-look.ts';
import { showMessage } from './spool-show.ts';

interface Words extends WhichSpool, SpoolFilter {
  readonly s?: boolean;
  readonly n?: boolean;
  readonly m?: string;
}

/** `ec_show -s|-n|-m ID`, in Momentum's words (manual page ec_show). @returns 0; 1 not found; 2 usage, no spool */
export async function ecShow(shell: SpoolShell, words: readonly string[]): Promise<number> {
  const command = withFilterOptions(
    withSpoolOptions(
      commandNamed('impetus spool ec_show', 'What is in the spool, in the words of ec_show.', shell.process),
    ),
  )
    .option('-s', 'list the messages, one a line')
    .option('-n', 'only count them')
    .option('-m <id>', 'show one: envelope, state and header')
    .addHelpText('after', COLUMNS);
  const wrong = understood(command, words);
  if (wrong !== undefined) return wrong;
  const asked = command.opts<Words>();
  if ([asked.s, asked.n, asked.m].filter((each) => each !== undefined).length !== 1) {
    shell.process.complain('ec_show: one of -s, -n and -m ID is wanted\n');
    return USAGE;
  }
  return lookAt(shell, asked, (reader) => {
    if (asked.m !== undefined) return showMessage(shell, reader, asked.m, false);
    return asked.n === true ? countEntries(shell, reader, asked) : listEntries(shell, reader, asked, Infinity, false);
  });
}
