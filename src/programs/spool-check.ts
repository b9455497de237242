import { checkSpool, type SpoolReport } from '../spool/index.ts';
import { commandNamed, understood } from './command-line.ts';
import { timeText } from './spool-entry.ts';
import { FATAL, FOUND, fatal, NOT_FOUND, type SpoolShell, spoolDirectory } from './spool-look.ts';

const HELP = `
Everything that waits is read, bodies too, and held against its sums. Each message that cannot be read is named on standard
error as FAIL <id>: <reason>. Nothing is changed. Beside a running server what is synced is checked; a body that is still
arriving counts as an orphan L-marker. Exit code: 0 clean, 1 failures, 2 the spool cannot be read.`;

interface Words {
  readonly config?: string;
  readonly extended?: boolean;
  readonly json?: boolean;
}

/** `impetus spool check [DIR]`, also `ec_spool_check` (manual page). @returns 0 clean, 1 failures, 2 fatal */
export async function spoolCheck(shell: SpoolShell, words: readonly string[]): Promise<number> {
  const command = commandNamed('impetus spool check', 'Reads a spool and says what is wrong with it.', shell.process)
    .argument('[directory]', 'the spool; without it that of the configuration')
    .option(
      '-c, --config <file>',
      'configuration whose Spoolbase is meant (default: the search path, as in the manual)',
    )
    .option('-e <directory>', 'taken for the sake of scripts: there are no extensions to load')
    .option('-x, --extended', 'also the oldest and the newest message')
    .option('--json', 'the report as a JSON object; failures are in it')
    .addHelpText('after', HELP);
  const wrong = understood(command, words);
  if (wrong !== undefined) return wrong;
  const { config, extended, json } = command.opts<Words>();
  const [spool] = command.args;
  const directory = await spoolDirectory(shell, {
    ...(config === undefined ? {} : { config }),
    ...(spool === undefined ? {} : { spool }),
  });
  if (directory === undefined) return FATAL;
  try {
    const report = await checkSpool(shell.world.disk, directory);
    if (json === true) shell.process.say(`${JSON.stringify(objectOf(report))}\n`);
    else {
      for (const { id, reason } of report.failures) shell.process.complain(`FAIL ${id}: ${reason}\n`);
      shell.process.say(text(report, extended === true));
    }
    return report.failures.length > 0 ? NOT_FOUND : FOUND;
  } catch (error) {
    return fatal(shell, error);
  }
}

function text(
  { scanned, ok, metaFailures, bodyFailures, orphans, oldest, newest }: SpoolReport,
  extended: boolean,
): string {
  const lines = [
    `Total scanned: ${scanned}`,
    `Total ok: ${ok}`,
    `Meta failures: ${metaFailures}`,
    `Body failures: ${bodyFailures}`,
    `Orphan L-markers: ${orphans}`,
  ];
  if (extended) {
    for (const [label, dated] of [['Oldest', oldest] as const, ['Newest', newest] as const])
      lines.push(`${label}: ${dated === undefined ? 'none' : `${dated.id} ${timeText(dated.receivedAt)}`}`);
  }
  return `${lines.join('\n')}\n`;
}

function objectOf(report: SpoolReport): Readonly<Record<string, unknown>> {
  const dated = (each: SpoolReport['oldest']): unknown =>
    each === undefined ? null : { id: each.id, received: timeText(each.receivedAt) };
  return {
    scanned: report.scanned,
    ok: report.ok,
    meta_failures: report.metaFailures,
    body_failures: report.bodyFailures,
    orphans: report.orphans,
    oldest: dated(report.oldest),
    newest: dated(report.newest),
    failures: report.failures,
  };
}
