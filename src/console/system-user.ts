import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import type { CredentialStores } from '../auth/index.ts';
import type { Chance, Disk } from '../world/index.ts';

/**
 * How a client of a Unix socket shows which user of the system it is, since Node tells nothing of a socket's peer: the
 * server names a directory that does not exist, the client makes it, and the server sees whose it is.
 *
 * What holds this together: the name cannot be guessed; in a sticky directory of root nobody moves or removes what is
 * another's; to move a directory there from elsewhere one must be allowed to write it, so only mode 0700 counts; links
 * are refused, and mount points, since a file system of a user's own (FUSE) may tell any owner. And the name has a hash of the socket's path, which the client compares with the path that it has
 * connected to: otherwise somebody who lures it to a socket of his own could pass on a name of ours, and be taken for it.
 */
export class SystemUsers {
  readonly #disk: Pick<Disk, 'status' | 'remove'>;
  readonly #chance: Pick<Chance, 'bytes'>;
  readonly #stores: Pick<CredentialStores, 'systemUser'>;

  constructor(
    disk: Pick<Disk, 'status' | 'remove'>,
    chance: Pick<Chance, 'bytes'>,
    stores: Pick<CredentialStores, 'systemUser'>,
  ) {
    this.#disk = disk;
    this.#chance = chance;
    this.#stores = stores;
  }

  /**
   * @param socket  path of the Unix socket, as the server listens on it
   * @returns the path that the client is to make a directory of; undefined when `directory` cannot be trusted with it
   */
  async challenge(directory: string, socket: string): Promise<string | undefined> {
    try {
      const status = await this.#disk.status(directory, 'kept');
      if (status?.kind !== 'directory' || (status.mode & STICKY) === 0 || status.owner !== ROOT) return undefined;
    } catch {
      return undefined;
    }
    const random = Buffer.from(this.#chance.bytes(16)).toString('hex');
    return join(directory, `${proofPrefix(socket)}${random}`);
  }

  /** @returns the name of the user whose directory stands there, which is removed; undefined when it proves nothing */
  async userBehind(path: string): Promise<string | undefined> {
    try {
      const status = await this.#disk.status(path, 'kept');
      const parent = await this.#disk.status(dirname(path), 'kept');
      if (status === undefined) return undefined;
      // In a sticky directory only root and its owner may remove it: the client does when we cannot.
      await this.#disk.remove(path).catch(() => undefined);
      if (status.kind !== 'directory' || (status.mode & 0o777) !== PRIVATE) return undefined;
      if (status.device !== parent?.device) return undefined;
      return await this.#stores.systemUser(status.owner);
    } catch {
      return undefined;
    }
  }
}

/** Whether a client that has connected to that socket may make a directory of that name. */
export function isProofFor(path: string, socket: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const prefix = proofPrefix(socket);
  return path.startsWith('/') && name.startsWith(prefix) && /^[0-9a-f]{32}$/.test(name.slice(prefix.length));
}

/** Permission bits of the directory that a client makes. */
export const PRIVATE = 0o700;

const STICKY = 0o1000;
const ROOT = 0;

const proofPrefix = (socket: string): string =>
  `.impetus-login-${createHash('sha256').update(socket).digest('hex').slice(0, 16)}-`;
