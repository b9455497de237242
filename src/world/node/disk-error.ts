import { DiskError } from '../world.ts';

/** @returns what the system reported about `path`, with its own code */
export function diskError(path: string, error: unknown): DiskError {
  if (error instanceof DiskError) return error;
  const system: NodeJS.ErrnoException = error instanceof Error ? error : new Error(String(error));
  return new DiskError(
    system.code ?? 'EIO',
    path,
    system.message.includes(path) ? system.message : `${path}: ${system.message}`,
    { cause: error },
  );
}

/** Waits for work on `path`; its errors come as DiskError. */
export async function translated<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw diskError(path, error);
  }
}
