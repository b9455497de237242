import { normalize } from 'node:path';
import { DiskError } from '../../world/index.ts';
import { ConfigErrors } from '../errors.ts';
import { printTree } from '../tree/print-tree.ts';
import type { Writeback } from '../writeback/writeback.ts';
import type { CommandCall, CommandResult } from './session.ts';

/** `config writeback [FILE]`: what was changed online goes into the files, or the whole configuration into one. */
export async function writeback(call: CommandCall): Promise<CommandResult> {
  const { configuration, words } = call;
  const [file, more] = words;
  if (more) return failed(`'${more.text}' behind the file`);
  if (file) return writeAll(call, file.text);
  try {
    return told(await configuration.writeback());
  } catch (error) {
    if (error instanceof DiskError) return failed(`nothing was written: ${error.message}`);
    if (!(error instanceof ConfigErrors)) throw error;
    return { ok: false, lines: [...error.errors.flatMap((each) => each.consoleLines), 'Nothing was written.'] };
  }
}

/** Flattened: the file says all that is live, and includes nothing. */
async function writeAll({ configuration }: CommandCall, file: string): Promise<CommandResult> {
  if (!file.startsWith('/'))
    return failed(`'${file}': the file is written by the server, so its path must be absolute`);
  if (configuration.files.some((each) => each.path === normalize(file)))
    return failed(`'${file}' is a file of this configuration: write back without a path, or name another`);
  try {
    await configuration.disk.replace(file, Buffer.from(printTree(configuration.current.tree)), 0o640);
    return { ok: true, lines: [`Configuration written to ${file}.`] };
  } catch (error) {
    if (error instanceof DiskError) return failed(`cannot write ${file}: ${error.message}`);
    throw error;
  }
}

function told({ written, refused, virtual }: Writeback): CommandResult {
  const lines = written.map(({ path, changes }) =>
    changes === 0 ? `${path}: created` : `${path}: ${changes} ${changes === 1 ? 'change' : 'changes'} written`,
  );
  for (const { what, why } of refused) lines.push(`Warning: not saved: ${what}: ${why}`);
  if (virtual !== '') {
    lines.push('Warning: not all of the configuration could be saved. No file can take this:');
    lines.push(...virtual.trimEnd().split('\n'));
    lines.push('Set Local_Changes_File and write back again to save it.');
  }
  if (lines.length === 0) lines.push('Nothing has changed: the files have all that is live.');
  return { ok: refused.length === 0 && virtual === '', lines };
}

const failed = (text: string): CommandResult => ({ ok: false, lines: [`config: ${text}`] });
