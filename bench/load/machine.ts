import { execFileSync } from 'node:child_process';
import { readFileSync, statfsSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';

/** One line about what the figures were measured on. */
export function machineLine(): string {
  const memory = `${(totalmem() / 2 ** 30).toFixed(0)} GB`;
  return `${availableParallelism()} × ${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${memory}, ${type()} ${release()}, Node ${process.version}`;
}

/** First thing that a micro-benchmark says: what it measures, and where. */
export function introduce(what: string): void {
  console.log(`${what}\n${machineLine()}\n`);
}

/** The file system of a folder: `ext4 on /dev/vda (rw,relatime)`, and how much of it is free. */
export function fileSystem(directory: string): string {
  const { bavail, bsize } = statfsSync(directory);
  const free = `${((bavail * bsize) / 1e9).toFixed(0)} GB free`;
  try {
    const mounts = readFileSync('/proc/self/mounts', 'utf8').trim().split('\n');
    const found = mounts
      .map((line) => line.split(' '))
      .filter(([, place = '']) => directory === place || directory.startsWith(place === '/' ? '/' : `${place}/`))
      .sort((one, other) => (other[1] ?? '').length - (one[1] ?? '').length)[0];
    if (found !== undefined) return `${found[2]} on ${found[0]} (${found[3]}), ${free}`;
  } catch {
    // Not Linux: what df would say has to do.
  }
  return free;
}

/** @returns the first line that a program prints, or `unknown` */
export function firstLine(program: string, ...words: readonly string[]): string {
  try {
    return execFileSync(program, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split('\n')[0] ?? '';
  } catch {
    return 'unknown';
  }
}
