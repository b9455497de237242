import { constants, statfs } from 'node:fs';
import * as fs from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { millis } from '../../base/index.ts';
import type { Chance, DirectoryEntry, Disk, DiskFile, FileStatus } from '../world.ts';
import { diskError, translated } from './disk-error.ts';
import { NodeFile } from './file.ts';
import { lockFile } from './lock.ts';

const { O_APPEND, O_CREAT, O_EXCL, O_RDONLY, O_RDWR, W_OK } = constants;
const FLAGS = { read: O_RDONLY, append: O_RDWR | O_CREAT | O_APPEND, create: O_RDWR | O_CREAT | O_EXCL };
/** For whom no mode was asked for: the group may read, as it may the spool. */
const FILE_MODE = 0o640;
const DIRECTORY_MODE = 0o750;

/** The system's file systems. */
export class NodeDisk implements Disk {
  readonly #chance: Chance;

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  open(path: string, how: 'read' | 'append' | 'create', mode: number = FILE_MODE): Promise<DiskFile> {
    return NodeFile.open(path, FLAGS[how], mode);
  }

  read(path: string): Promise<Uint8Array> {
    return translated(path, fs.readFile(path));
  }

  async replace(path: string, bytes: Uint8Array, mode?: number): Promise<void> {
    // A link stays a link: what it points to is replaced.
    const target = await fs.realpath(path).catch(() => path);
    const old = await fs.stat(target).catch(() => undefined);
    const name = `.${basename(target)}.${Buffer.from(this.#chance.bytes(6)).toString('hex')}.tmp`;
    const temporary = join(dirname(target), name);
    try {
      const file = await fs.open(temporary, 'wx', 0o600);
      try {
        await file.writeFile(bytes);
        // Only root may give a file away; others keep what they can.
        if (old) await file.chown(old.uid, old.gid).catch(() => undefined);
        await file.chmod(old ? old.mode & 0o7777 : (mode ?? FILE_MODE));
        await file.sync();
      } finally {
        await file.close();
      }
      await fs.rename(temporary, target);
    } catch (error) {
      await fs.unlink(temporary).catch(() => undefined);
      throw diskError(path, error);
    }
    await this.syncDirectory(dirname(target));
  }

  async list(path: string): Promise<readonly DirectoryEntry[]> {
    const entries = await translated(path, fs.readdir(path, { withFileTypes: true }));
    return entries.map((entry) => ({
      name: entry.name,
      kind: entry.isFile() ? 'file' : entry.isDirectory() ? 'directory' : 'other',
    }));
  }

  async status(path: string, links: 'followed' | 'kept' = 'followed'): Promise<FileStatus | undefined> {
    try {
      const status = await (links === 'kept' ? fs.lstat(path) : fs.stat(path));
      const kind = status.isFile()
        ? 'file'
        : status.isDirectory()
          ? 'directory'
          : status.isSocket()
            ? 'socket'
            : status.isSymbolicLink()
              ? 'link'
              : 'other';
      const { size, mtimeMs, mode, uid, dev } = status;
      return { kind, size, modified: millis(mtimeMs), mode: mode & 0o7777, owner: uid, device: dev };
    } catch (error) {
      const translated = diskError(path, error);
      if (translated.code === 'ENOENT' || translated.code === 'ENOTDIR') return undefined;
      throw translated;
    }
  }

  async writable(path: string): Promise<boolean> {
    const target = await fs.realpath(path).catch(() => path);
    return (await mayWrite(target, true)) && (await mayWrite(dirname(target), false));
  }

  async makeDirectory(path: string, mode: number = DIRECTORY_MODE): Promise<void> {
    await translated(path, fs.mkdir(path, { recursive: true, mode }));
  }

  async syncDirectory(path: string): Promise<void> {
    try {
      const directory = await fs.open(path, 'r');
      try {
        await directory.sync();
      } finally {
        await directory.close();
      }
    } catch (error) {
      const translated = diskError(path, error);
      // Some file systems have no sync of directories; they say so.
      if (translated.code !== 'EINVAL' && translated.code !== 'ENOTSUP') throw translated;
    }
  }

  async rename(from: string, to: string): Promise<void> {
    await translated(from, fs.rename(from, to));
  }

  async remove(path: string): Promise<void> {
    try {
      await fs.unlink(path);
    } catch (error) {
      const translated = diskError(path, error);
      if (translated.code !== 'EISDIR' && translated.code !== 'EPERM') throw translated;
      await fs.rmdir(path).catch((why: unknown) => Promise.reject(diskError(path, why)));
    }
  }

  free(path: string): Promise<number> {
    return new Promise((resolve, reject) => {
      statfs(path, (error, system) => {
        if (error) reject(diskError(path, error));
        else resolve(system.bavail * system.bsize);
      });
    });
  }

  lock(path: string): Promise<AsyncDisposable> {
    return lockFile(path);
  }
}

/** @param orAbsent whether nothing being there is as good */
async function mayWrite(path: string, orAbsent: boolean): Promise<boolean> {
  try {
    await fs.access(path, W_OK);
    return true;
  } catch (error) {
    const translated = diskError(path, error);
    switch (translated.code) {
      case 'ENOENT':
        return orAbsent;
      case 'EACCES':
      case 'EPERM':
      case 'EROFS':
      case 'ENOTDIR':
        return false;
      default:
        throw translated;
    }
  }
}
