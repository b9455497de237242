import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { type Cidr, cidrText, parseCidr } from '../base/index.ts';
import { type Chance, type Clock, type Disk, DiskError } from '../world/index.ts';
import { type Grant, isGrant } from './grants.ts';

/** A key as it is kept: never itself, only what proves it. */
export interface ApiKey {
  readonly id: string;
  readonly label: string;
  /** SHA-256 of the key, in hex. */
  readonly hash: string;
  readonly grants: readonly Grant[];
  /** Blocks that it may be used from; empty: from anywhere. */
  readonly validIps: readonly Cidr[];
  /** Milliseconds since the epoch. */
  readonly created: number;
}

/** The file of the keys cannot be used. The message names it. */
export class ApiKeyError extends Error {
  readonly code = 'IMP_API_KEYS';
}

export const hashOf = (key: string): string => createHash('sha256').update(key, 'utf8').digest('hex');

/** Keys that one file may hold: each start and each change reads all of them. */
const MOST_KEYS = 10_000;
const MOST_LABEL = 200;

const Document = Compile(
  Type.Object({
    version: Type.Literal(1),
    keys: Type.Array(
      Type.Object({
        id: Type.String({ minLength: 1 }),
        label: Type.String(),
        hash: Type.String({ pattern: '^[0-9a-f]{64}$' }),
        grants: Type.Array(Type.String()),
        valid_ips: Type.Array(Type.String()),
        created: Type.Number(),
      }),
      { maxItems: MOST_KEYS },
    ),
  }),
);

const Uses = Compile(Type.Record(Type.String(), Type.Number()));

export interface KeyFileParts {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly path: string;
}

/**
 * Where keys are kept: a JSON file of its own, which the program that makes keys replaces and the server reads. When each
 * was used last stands in a second file beside it, since that one is the server's to write.
 */
export class ApiKeyFile {
  readonly #parts: KeyFileParts;

  constructor(parts: KeyFileParts) {
    this.#parts = parts;
  }

  get path(): string {
    return this.#parts.path;
  }

  /** Something that is another when the file has changed; undefined while there is none. @throws DiskError */
  async state(): Promise<string | undefined> {
    const status = await this.#parts.disk.status(this.path);
    return status === undefined ? undefined : `${status.modified} ${status.size}`;
  }

  /** @returns no keys when there is no file @throws ApiKeyError */
  async read(): Promise<readonly ApiKey[]> {
    const value = await this.#json(this.path);
    if (value === undefined) return [];
    if (!Document.Check(value)) throw new ApiKeyError(`${this.path} is no file of API keys`);
    return value.keys.map(({ valid_ips, grants, ...key }) => ({
      ...key,
      // What a later version may have added is no right of this one's.
      grants: grants.filter(isGrant),
      validIps: valid_ips.map((text) => {
        const block = parseCidr(text);
        if (block === undefined) throw new ApiKeyError(`${this.path}: ${text} is no block of addresses`);
        return block;
      }),
    }));
  }

  /** @returns the key, which is nowhere else from then on @throws ApiKeyError */
  async create(label: string, grants: readonly Grant[], validIps: readonly Cidr[]): Promise<string> {
    if (label.trim() === '' || label.length > MOST_LABEL || /[\x00-\x1f\x7f]/.test(label))
      throw new ApiKeyError(`a label has 1 to ${MOST_LABEL} characters in one line`);
    const { chance, clock } = this.#parts;
    const key = Buffer.from(chance.bytes(20)).toString('hex');
    const id = Buffer.from(chance.bytes(4)).toString('hex');
    await this.#change((keys) => {
      if (keys.length >= MOST_KEYS) throw new ApiKeyError(`${this.path} holds ${MOST_KEYS} keys, and no more fit`);
      return [...keys, { id, label, hash: hashOf(key), grants, validIps, created: clock.date() }];
    });
    return key;
  }

  /** @param which the id, or a label that only one key has @returns the key that is gone @throws ApiKeyError */
  async revoke(which: string): Promise<ApiKey> {
    const gone: ApiKey[] = [];
    await this.#change((keys) => {
      gone.push(...keys.filter(({ id, label }) => id === which || label === which));
      if (gone.length > 1) throw new ApiKeyError(`${gone.length} keys are labelled ${which}: name one by its id`);
      if (gone.length === 0) throw new ApiKeyError(`there is no key ${which}: impetus apikey list shows them`);
      return keys.filter((key) => key !== gone[0]);
    });
    return gone[0] as ApiKey;
  }

  /** When each was used last, in milliseconds since the epoch, by id. What cannot be read is not known. */
  async uses(): Promise<ReadonlyMap<string, number>> {
    const value = await this.#json(this.#usesPath).catch(() => undefined);
    return new Map(Uses.Check(value) ? Object.entries(value) : []);
  }

  /** @throws DiskError */
  async writeUses(uses: ReadonlyMap<string, number>): Promise<void> {
    await this.#write(this.#usesPath, Object.fromEntries(uses));
  }

  get #usesPath(): string {
    return `${this.path}.used`;
  }

  async #change(to: (keys: readonly ApiKey[]) => readonly ApiKey[]): Promise<void> {
    const { disk } = this.#parts;
    try {
      await disk.makeDirectory(dirname(this.path), 0o750);
      await using _lock = await disk.lock(`${this.path}.lock`);
      const keys = to(await this.read());
      await this.#write(this.path, {
        version: 1,
        keys: keys.map(({ validIps, ...key }) => ({ ...key, valid_ips: validIps.map(cidrText) })),
      });
    } catch (error) {
      throw error instanceof DiskError ? new ApiKeyError(error.message, { cause: error }) : error;
    }
  }

  async #json(path: string): Promise<unknown> {
    try {
      const status = await this.#parts.disk.status(path);
      if (status === undefined) return undefined;
      const value: unknown = JSON.parse(Buffer.from(await this.#parts.disk.read(path)).toString('utf8'));
      return value;
    } catch (error) {
      if (error instanceof SyntaxError) throw new ApiKeyError(`${path} is no JSON`, { cause: error });
      throw error instanceof DiskError ? new ApiKeyError(error.message, { cause: error }) : error;
    }
  }

  async #write(path: string, value: unknown): Promise<void> {
    await this.#parts.disk.replace(path, Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`), 0o600);
  }
}
