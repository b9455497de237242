import { timingSafeEqual } from 'node:crypto';
import { contains, millis } from '../base/index.ts';
import type { Events } from '../events/index.ts';
import type { Clock } from '../world/index.ts';
import { type ApiKey, type ApiKeyFile, hashOf } from './api-key-file.ts';
import { looksLikeKey } from './authorization.ts';

/** The file is looked at no more often than this. */
const LOOK_MILLIS = 1000;
/** When keys were used last is written down this often. */
const WRITE_MILLIS = 60_000;

export interface ApiKeysParts {
  readonly clock: Clock;
  readonly events: Pick<Events, 'diagnose'>;
  /** The file of now: its name may change with the configuration. */
  readonly file: () => ApiKeyFile;
}

/** The keys of a running server: looked up for each request, and read again when their file has changed. */
export class ApiKeys implements AsyncDisposable {
  readonly #parts: ApiKeysParts;
  #byHash = new Map<string, ApiKey>();
  #state: string | undefined;
  /** Of the file that the keys are from; undefined before one could be read. */
  #path: string | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | undefined;
  #trouble: string | undefined;
  #uses = new Map<string, number>();
  #timer: Disposable | undefined;
  #writing: Promise<void> | undefined;

  constructor(parts: ApiKeysParts) {
    this.#parts = parts;
  }

  /** @returns undefined when there is no such key, or it may not be used from that address; `unavailable`: nobody can tell */
  async find(secret: string, ip: string): Promise<ApiKey | 'unavailable' | undefined> {
    await this.#refresh();
    if (this.#path === undefined) return 'unavailable';
    if (!looksLikeKey(secret)) return undefined;
    const hash = hashOf(secret);
    const key = this.#byHash.get(hash);
    if (key === undefined || !timingSafeEqual(Buffer.from(key.hash), Buffer.from(hash))) return undefined;
    if (key.validIps.length > 0 && !key.validIps.some((block) => contains(block, ip))) return undefined;
    this.#used(key.id);
    return key;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#timer?.[Symbol.dispose]();
    await this.#writing;
    if (this.#uses.size > 0) await this.#writeUses();
  }

  /** One look for all who wait for it. A file that cannot be read leaves the keys that were known: it may be half way there. */
  async #refresh(): Promise<void> {
    const { clock } = this.#parts;
    if (this.#looking === undefined && clock.now() - this.#lookedAt < LOOK_MILLIS) return;
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    await this.#looking;
  }

  async #look(): Promise<void> {
    const file = this.#parts.file();
    this.#lookedAt = this.#parts.clock.now();
    try {
      const state = await file.state();
      if (state === this.#state && file.path === this.#path) {
        this.#trouble = undefined;
        return;
      }
      // Between two steps of whoever restores or replaces it, not all keys at once are bad.
      if (state === undefined && this.#byHash.size > 0 && file.path === this.#path)
        throw new Error(`${file.path} is gone`);
      const keys = await file.read();
      this.#byHash = new Map(keys.map((key) => [key.hash, key]));
      this.#state = state;
      this.#path = file.path;
      this.#trouble = undefined;
    } catch (error) {
      const trouble = error instanceof Error ? error.message : String(error);
      if (trouble === this.#trouble) return;
      this.#trouble = trouble;
      this.#parts.events.diagnose(
        'ERROR',
        'http',
        `IMP_API_KEYS: ${trouble}; ${this.#path === undefined ? 'keys cannot be checked' : 'the keys known so far still hold'}`,
      );
    }
  }

  #used(id: string): void {
    const { clock } = this.#parts;
    this.#uses.set(id, clock.date());
    this.#timer ??= clock.at(millis(clock.now() + WRITE_MILLIS), () => {
      this.#timer = undefined;
      this.#writing = this.#writeUses();
    });
  }

  async #writeUses(): Promise<void> {
    const news = this.#uses;
    this.#uses = new Map();
    const file = this.#parts.file();
    try {
      const known = new Set([...this.#byHash.values()].map(({ id }) => id));
      const all = new Map([...(await file.uses()), ...news]);
      await file.writeUses(new Map([...all].filter(([id]) => known.has(id))));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#parts.events.diagnose('WARNING', 'http', `when API keys were used cannot be written down: ${why}`);
    }
  }
}
