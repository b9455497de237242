import type { Clock, Disk, FileStatus } from '../world/index.ts';
import { CredentialsError } from './credential-lines.ts';

/** Longest file that is read: some hundred thousand users. */
const MOST_BYTES = 16 * 1024 * 1024;
/** A file that changed so shortly before it was read may change again and keep its size and its time. */
const YOUNG_MILLIS = 2000;

export interface WatchedFileParts {
  readonly disk: Pick<Disk, 'status' | 'read'>;
  readonly clock: Pick<Clock, 'date'>;
  /** Called once when the file stops being usable, or is so for another reason. */
  readonly complain: (trouble: CredentialsError) => void;
}

/** A file that is read again when it has changed on disk. It is asked, and never watches by itself. */
export class WatchedFile<T> {
  readonly #parts: WatchedFileParts;
  readonly #path: string;
  readonly #read: (text: string) => T;
  #seen: FileStatus | undefined;
  #readAt = 0;
  #content: T | undefined;
  #trouble: string | undefined;
  #asking: Promise<T | undefined> | undefined;

  /** @param read  throws CredentialsError */
  constructor(path: string, read: (text: string) => T, parts: WatchedFileParts) {
    this.#path = path;
    this.#read = read;
    this.#parts = parts;
  }

  /** @returns undefined when the file cannot be read, or not be understood. Many who ask at once share one look. */
  content(): Promise<T | undefined> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #ask(): Promise<T | undefined> {
    const { disk, clock } = this.#parts;
    try {
      const status = await disk.status(this.#path);
      if (status === undefined) throw new CredentialsError('there is no such file');
      if (status.kind !== 'file') throw new CredentialsError('this is no file');
      if (status.size > MOST_BYTES) throw new CredentialsError(`the file has more than ${MOST_BYTES} bytes`);
      if (this.#same(status)) return this.#content;
      const readAt = clock.date();
      const bytes = await disk.read(this.#path);
      this.#content = this.#read(Buffer.from(bytes).toString('utf8'));
      this.#seen = status;
      this.#readAt = readAt;
      this.#trouble = undefined;
    } catch (error) {
      this.#content = undefined;
      this.#seen = undefined;
      this.#tell(
        error instanceof CredentialsError
          ? error
          : new CredentialsError(error instanceof Error ? error.message : String(error), { cause: error }),
      );
    }
    return this.#content;
  }

  #same({ size, modified }: FileStatus): boolean {
    const seen = this.#seen;
    return (
      seen !== undefined &&
      seen.size === size &&
      seen.modified === modified &&
      Math.abs(this.#readAt - modified) > YOUNG_MILLIS
    );
  }

  #tell(trouble: CredentialsError): void {
    if (trouble.message === this.#trouble) return;
    this.#trouble = trouble.message;
    this.#parts.complain(trouble);
  }
}
