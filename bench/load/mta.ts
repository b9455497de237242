import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, freePort } from '../../test/end-to-end/harness.ts';
import type { Group } from './group.ts';
import { greets } from './tools.ts';
import type { Mode } from './workloads.ts';

/** A server that is measured. All keep what they take on disk before the 250, as they are shipped. */
export interface Mta {
  readonly name: string;
  /** In words, for the page; throws with what is missing. */
  version(): string;
  /** Writes its configuration and tells how to run it in the foreground or, with `ends`, in the background. */
  prepare(at: Place): Promise<Launch> | Launch;
}

export interface Place {
  /** A fresh folder, on the disk that is measured. */
  readonly directory: string;
  readonly port: number;
  readonly sink: number;
  readonly mode: Mode;
}

export interface Launch {
  readonly words: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** The command ends when the server runs. */
  readonly daemon?: boolean;
}

/** Starts a server and waits until it greets. @returns its port */
export async function start(mta: Mta, directory: string, sink: number, mode: Mode, group: Group): Promise<number> {
  const port = await freePort();
  const { words, environment = {}, daemon = false } = await mta.prepare({ directory, port, sink, mode });
  const [command = '', ...rest] = [...group.wrapper, ...words];
  const path = join(directory, 'output');
  const output = openSync(path, 'a');
  const child = spawn(command, rest, {
    stdio: ['ignore', output, output],
    cwd: directory,
    env: { ...process.env, ...environment },
  });
  closeSync(output);
  if (child.pid !== undefined && !daemon) group.add(child.pid);
  let failed: string | undefined;
  child.on('error', (error) => {
    failed = error.message;
  });
  await eventually(
    `${mta.name} greets`,
    () => {
      if (child.exitCode !== null && !(daemon && child.exitCode === 0)) failed ??= `it ended with ${child.exitCode}`;
      if (failed !== undefined) throw new Error(`${mta.name}: ${failed}\n${readFileSync(path, 'utf8').slice(-2000)}`);
      return greets(port);
    },
    30_000,
  );
  return port;
}
