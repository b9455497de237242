import { type StoreConnection, StoreError, type StoreTls, type StoreTrouble, type StoreValue } from '../../stores.ts';

/** A value of a driver as text. Bytes that are no UTF-8 are taken for ISO-8859-1. */
export function textOf(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (value instanceof Uint8Array) return bytesText(value);
  if (typeof value === 'object') return JSON.stringify(value);
  return String(value);
}

export const bytesText = (bytes: Uint8Array): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return Buffer.from(bytes).toString('latin1');
  }
};

export const rowOf = (values: readonly unknown[]): readonly StoreValue[] => values.map(textOf);

/** The code that drivers and Node put on errors: ECONNREFUSED, 28P01, ER_ACCESS_DENIED_ERROR. */
export function codeOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}

export function storeError(trouble: StoreTrouble, error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  // Node gathers the troubles of several addresses, and gives the whole no message.
  const first = error instanceof AggregateError ? error.errors[0] : error;
  const text = first instanceof Error ? first.message || first.name : String(first);
  return new StoreError(trouble, text === '' ? trouble : text, { cause: error });
}

/** What Node's TLS is told for each demand. */
export const tlsOptions = (tls: StoreTls): { rejectUnauthorized: boolean } => ({
  rejectUnauthorized: tls === 'verified',
});

/**
 * Ways to connect, the best first: the next one is tried only when the server has no TLS.
 *
 * @throws StoreError
 */
export async function connectedBy<W>(
  ways: readonly W[],
  connected: (way: W) => Promise<StoreConnection>,
  lacksTls: (error: StoreError) => boolean,
): Promise<StoreConnection> {
  for (const [at, way] of ways.entries()) {
    try {
      return await connected(way);
    } catch (error) {
      if (!(error instanceof StoreError && lacksTls(error)) || at === ways.length - 1) throw error;
    }
  }
  throw new StoreError('unreachable', 'there is no way to connect');
}

/** @throws StoreError `timeout` when it takes longer; `late` then ends what is still under way */
export async function within<T>(millis: number, work: Promise<T>, late: () => void): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      late();
      reject(new StoreError('timeout', `no answer within ${Math.ceil(millis / 1000)} s`));
    }, millis);
  });
  try {
    return await Promise.race([work, over]);
  } finally {
    clearTimeout(timer);
    // Whichever lost must not be told of as a rejection that nobody has heard.
    work.catch(() => undefined);
  }
}
