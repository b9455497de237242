import { option, optional, path } from '../config/index.ts';
import type { Events } from '../events/index.ts';
import { type Disk, DiskError } from '../world/index.ts';

/** Momentum writes /var/run/ecelerity.pid when nobody says otherwise; without being told we write nothing, as most users may not. */
export const pidfile = option('pidfile', optional(path), { initial: undefined });

/**
 * Tells init scripts who we are. The lock of the spool keeps a second server away, so an old file is replaced, and one
 * that cannot be written keeps no server from its work.
 *
 * @returns what removes it at the end, unless another process has put itself there meanwhile
 * @see manual page pidfile
 */
export async function writePidFile(
  disk: Disk,
  events: Pick<Events, 'diagnose'>,
  file: string | undefined,
  id: number,
): Promise<AsyncDisposable> {
  const text = `${id}\n`;
  if (file === undefined) return { [Symbol.asyncDispose]: async () => undefined };
  try {
    await disk.replace(file, Buffer.from(text), 0o644);
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    events.diagnose('ERROR', 'main', `the process id was not written: ${error.message}`);
  }
  return {
    async [Symbol.asyncDispose]() {
      try {
        if (Buffer.from(await disk.read(file)).toString('latin1') === text) await disk.remove(file);
      } catch (error) {
        if (!(error instanceof DiskError)) throw error;
        // It is not there, or not ours to remove: a stale number does no harm, as the next start replaces it.
      }
    },
  };
}
