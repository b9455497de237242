import type { SpoolReader } from '../spool/index.ts';
import { commandNamed, understood, wholeNumber } from './command-line.ts';
import { entriesOf, entryLine, entryObject, type SpoolEntry } from './spool-entry.ts';
import { passes, type SpoolFilter, withFilterOptions } from './spool-filter.ts';
import { SpoolLines } from './spool-lines.ts';
import {
  complainOf,
  FOUND,
  lookAt,
  NOT_FOUND,
  type SpoolShell,
  type WhichSpool,
  withSpoolOptions,
} from './spool-look.ts';

export const COLUMNS = `
Columns: id, age, bytes, retries, next attempt (UTC; of a message that was never tried, when it came), sender, recipient.
They stand in the order of the spool: mostly the oldest first.`;

interface Words extends WhichSpool, SpoolFilter {
  readonly limit: number;
  readonly json?: boolean;
}

/** `impetus spool list`. @returns 0 all was read, 1 something could not be, 2 nothing could */
export async function spoolList(shell: SpoolShell, words: readonly string[]): Promise<number> {
  const command = withFilterOptions(
    withSpoolOptions(
      commandNamed(
        'impetus spool list',
        'One line for each message in the spool, of a running server too.',
        shell.process,
      ),
    ),
  )
    .option('--limit <number>', 'at most so many lines', wholeNumber(0, 1e12), Infinity)
    .option('--json', 'a JSON object on each line')
    .addHelpText('after', COLUMNS);
  const wrong = understood(command, words);
  if (wrong !== undefined) return wrong;
  const asked = command.opts<Words>();
  return lookAt(shell, asked, (reader) => listEntries(shell, reader, asked, asked.limit, asked.json === true));
}

/** Prints messages in storage order. @returns 0, or 1 when something could not be read */
export async function listEntries(
  shell: SpoolShell,
  reader: SpoolReader,
  filter: SpoolFilter,
  limit: number,
  json: boolean,
): Promise<number> {
  const lines = new SpoolLines(shell.terminal());
  const now = shell.world.clock.date();
  let left = limit;
  for await (const entry of limit > 0 ? entries(reader, filter) : []) {
    const line = json ? `${JSON.stringify(entryObject(entry))}\n` : entryLine(entry, now);
    const behind = lines.add(line);
    if (behind) await behind;
    if (--left <= 0) break;
  }
  await lines.end();
  return complainOf(shell, reader) ? NOT_FOUND : FOUND;
}

/** Prints only how many there are. */
export async function countEntries(shell: SpoolShell, reader: SpoolReader, filter: SpoolFilter): Promise<number> {
  let count = 0;
  for await (const entry of entries(reader, filter)) count += entry.finished ? 0 : 1;
  shell.process.say(`${count}\n`);
  return complainOf(shell, reader) ? NOT_FOUND : FOUND;
}

async function* entries(reader: SpoolReader, filter: SpoolFilter): AsyncGenerator<SpoolEntry> {
  for await (const batch of reader.receptions()) {
    for (const kept of batch) {
      for (const entry of entriesOf(kept)) if (!entry.finished && passes(filter, entry)) yield entry;
    }
  }
}
