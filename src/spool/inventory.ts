import type { DirectoryEntry, Disk } from '../world/index.ts';
import { because } from './alarm.ts';
import { LARGE_NAME } from './large.ts';
import { SEGMENT_NAME } from './shelf.ts';
import { SpoolError } from './spool.ts';

/** What the directory of one event loop holds. */
export interface Inventory {
  /** Of its segments, rising. */
  readonly sequences: readonly number[];
  /** Names of the bodies with files of their own. */
  readonly large: readonly string[];
  /** Paths of what is not ours. */
  readonly strange: readonly string[];
  /** A sequence that no file of the directory mentions. */
  readonly next: number;
}

/** @param directory `<spoolbase>/L<loop>`. @throws SpoolError IMP_SPOOL_READ */
export async function inventory(disk: Disk, directory: string): Promise<Inventory> {
  const sequences: number[] = [];
  const large: string[] = [];
  const strange: string[] = [];
  let last = 0;
  let withLarge = false;
  for (const { name, kind } of await listed(disk, directory)) {
    const sequence = kind === 'file' ? Number(SEGMENT_NAME.exec(name)?.[1] ?? NaN) : NaN;
    if (sequence > 0) sequences.push(sequence);
    else if (name === 'large') withLarge = true;
    else strange.push(`${directory}/${name}`);
  }
  for (const { name, kind } of withLarge ? await listed(disk, `${directory}/large`) : []) {
    const run = kind === 'file' ? LARGE_NAME.exec(name)?.[1] : undefined;
    if (run === undefined) {
      strange.push(`${directory}/large/${name}`);
      continue;
    }
    large.push(name);
    last = Math.max(last, Number(run));
  }
  sequences.sort((a, b) => a - b);
  return { sequences, large, strange, next: Math.max(last, sequences[sequences.length - 1] ?? 0) + 1 };
}

/** @throws SpoolError IMP_SPOOL_READ */
export async function listed(disk: Disk, path: string): Promise<readonly DirectoryEntry[]> {
  try {
    return await disk.list(path);
  } catch (cause) {
    throw new SpoolError('IMP_SPOOL_READ', `cannot read ${path}: ${because(cause)}. Check its owner and mode.`, {
      cause,
    });
  }
}
