import { dirname } from 'node:path';
import { type Disk, DiskError } from '../world/index.ts';

/**
 * Puts a line into a file of credentials, in the place of the line for the same user or behind the others. Comments,
 * order and line ends stay as they are; owner and mode too. A file that does not exist is made, its folder is not.
 *
 * @param key  what the line for this user begins with, up to the colon behind it: `fred:`, `fred:realm:`
 * @throws DiskError
 */
export async function putLine(disk: Disk, path: string, key: string, line: string): Promise<'changed' | 'added'> {
  const folder = dirname(path);
  if ((await disk.status(folder))?.kind !== 'directory')
    throw new DiskError('ENOENT', path, `${path}: there is no folder ${folder}`);
  const status = await disk.status(path);
  const text = status === undefined ? '' : Buffer.from(await disk.read(path)).toString('latin1');
  const end = text.includes('\r\n') ? '\r\n' : '\n';
  const mine = bytesOf(line);
  const start = bytesOf(key);
  const lines = text.split('\n');
  const at = lines.findIndex((each) => each.startsWith(start));
  if (at !== -1) lines[at] = `${mine}${lines[at]?.endsWith('\r') === true ? '\r' : ''}`;
  else {
    const carriage = end.slice(0, -1);
    const last = lines.pop() ?? '';
    lines.push(...(last === '' ? [] : [last + carriage]), mine + carriage, '');
  }
  await disk.replace(path, Buffer.from(lines.join('\n'), 'latin1'), PRIVATE);
  return at === -1 ? 'added' : 'changed';
}

/** Of a new file: the owner and his group, who may be the server's. */
const PRIVATE = 0o640;

/** Files are changed as bytes, so that what is not UTF-8 in other lines survives. */
const bytesOf = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
