import { dirname, isAbsolute, join, normalize } from 'node:path';
import { DiskError } from '../../world/index.ts';
import { ConfigError } from '../errors.ts';
import { localChangesFile, localChangesOnly } from '../schema/config-options.ts';
import type { Assignment, Stanza } from '../tree/stanza.ts';
import { diskReason, type ReadableDisk } from './disk-text.ts';

/** @returns the path of the file of local changes; a relative one is below the directory of the main file */
export function localChangesPath(tree: Stanza, main: string): string | undefined {
  const assigned = tree.options.get(localChangesFile.name);
  if (assigned?.value.kind !== 'text' || assigned.value.text === '') return undefined;
  const path = assigned.value.text.replace(/^file:\/\//i, '');
  return normalize(isAbsolute(path) ? path : join(dirname(main), path));
}

/** Whether every online change goes into the file of local changes. */
export function isLocalOnly(tree: Stanza): boolean {
  const assigned = tree.options.get(localChangesOnly.name);
  return assigned !== undefined && localChangesOnly.type.read(assigned.value);
}

/** What is wrong with the file of local changes. */
export interface LocalChangesTrouble {
  /** It is the main file or included, or it is wanted and missing. */
  readonly wrong: ConfigError | undefined;
  /** This process cannot write it; another may. */
  readonly closed: ConfigError | undefined;
}

/**
 * What must hold for the file of local changes: it can be written, and is neither the main file nor included (spec:
 * repetition, merging, includes).
 */
export async function localChangesTrouble(
  tree: Stanza,
  main: string,
  isIncluded: (path: string) => boolean,
  disk: ReadableDisk,
): Promise<LocalChangesTrouble> {
  const assigned = tree.options.get(localChangesFile.name);
  const path = localChangesPath(tree, main);
  if (assigned === undefined || path === undefined) {
    const only = tree.options.get(localChangesOnly.name);
    const needed = only !== undefined && isLocalOnly(tree);
    return {
      wrong: needed ? errorAt(only, 'Local_Changes_Only needs a Local_Changes_File') : undefined,
      closed: undefined,
    };
  }
  const of = (why: string): ConfigError => errorAt(assigned, `Local_Changes_File = ${path}: ${why}`);
  if (path === normalize(main)) return { wrong: of('this is the main file, which is loaded first'), closed: undefined };
  if (isIncluded(path))
    return { wrong: of('this file is included, and what is loaded twice cannot be written'), closed: undefined };
  try {
    const status = await disk.status(path);
    if (status !== undefined && status.kind !== 'file') return { wrong: of('this is not a file'), closed: undefined };
    const open = await disk.writable(path);
    return { wrong: undefined, closed: open ? undefined : of('this process may not write it') };
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    return { wrong: undefined, closed: of(diskReason(error)) };
  }
}

function errorAt(assigned: Assignment, text: string): ConfigError {
  return new ConfigError(text, { place: assigned.value.at, near: assigned.entry.name });
}
