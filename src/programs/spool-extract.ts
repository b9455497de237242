import { isAbsolute, join } from 'node:path';
import { type KeptReception, SpoolError } from '../spool/index.ts';
import { DiskError, type DiskFile } from '../world/index.ts';
import { commandNamed, understood } from './command-line.ts';
import { FATAL, FOUND, lookAt, NOT_FOUND, type SpoolShell, type WhichSpool, withSpoolOptions } from './spool-look.ts';
import { notFound } from './spool-show.ts';

/**
 * `impetus spool extract ID [FILE]`: the message as it is kept, to a new file or to standard output.
 *
 * @returns 0 written, 1 not found or damaged, 2 the spool cannot be read or the file not be written
 */
export async function spoolExtract(shell: SpoolShell, words: readonly string[]): Promise<number> {
  const command = withSpoolOptions(
    commandNamed('impetus spool extract', 'Writes a message as a plain .eml, of a running server too.', shell.process),
  )
    .argument('<id>', 'of a message or of its batch')
    .argument('[file]', 'a new file; nothing or - is standard output');
  const wrong = understood(command, words);
  if (wrong !== undefined) return wrong;
  const [id = '', file = '-'] = command.args;
  return lookAt(shell, command.opts<WhichSpool>(), async (reader) => {
    const kept = await reader.find(id);
    if (kept === undefined) return notFound(shell, reader, id);
    if (file === '-') {
      const terminal = shell.terminal();
      const code = await copied(shell, kept, (slice) => terminal.write(slice));
      await terminal.flush();
      return code;
    }
    const path = isAbsolute(file) ? file : join(shell.process.directory, file);
    let out: DiskFile | undefined;
    try {
      out = await shell.world.disk.open(path, 'create', 0o600);
      const written = out;
      const code = await copied(shell, kept, (slice) => written.write([slice]));
      await out.sync();
      return code;
    } catch (error) {
      // Half a message would look like a whole one, and keep the next try from its name.
      if (out !== undefined) await shell.world.disk.remove(path).catch(() => undefined);
      if (!(error instanceof DiskError)) throw error;
      const why =
        error.code === 'EEXIST' ? 'exists already, and is left as it is' : `cannot be written: ${error.message}`;
      shell.process.complain(`impetus spool: ${file} ${why}\n`);
      return FATAL;
    } finally {
      await out?.close().catch(() => undefined);
    }
  });
}

/** Writes all that is there: of a damaged body too, which is then told of. */
async function copied(
  shell: SpoolShell,
  kept: KeptReception,
  write: (slice: Uint8Array) => Promise<void> | undefined,
): Promise<number> {
  try {
    for await (const slice of kept.body()) {
      const behind = write(slice);
      if (behind) await behind;
    }
    return FOUND;
  } catch (error) {
    if (!(error instanceof SpoolError)) throw error;
    shell.process.complain(`impetus spool: ${error.message}; what there is was written\n`);
    return NOT_FOUND;
  }
}
