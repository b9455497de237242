import { existsSync, mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../../test/end-to-end/harness.ts';

/** Seconds of processor time. */
export interface Cpu {
  readonly user: number;
  readonly system: number;
}

/** Ticks of /proc/PID/stat in a second, and bytes of a page: Linux has told user space no others for twenty years. */
const TICKS = 100;
const PAGE = 4096;

/**
 * Processes that are counted together, children and dead ones included: a control group of the kernel. Who may not make
 * one counts living processes only, which is right for a server of one process.
 */
export class Group {
  readonly #directory: string | undefined;
  readonly #old: boolean;
  #pids: number[] = [];

  constructor(name: string) {
    const old = '/sys/fs/cgroup/cpuacct';
    this.#old = existsSync(old);
    const directory = join(this.#old ? old : '/sys/fs/cgroup', name);
    this.#directory = made(directory) ? directory : undefined;
  }

  /** Whether children and dead processes are counted. */
  get whole(): boolean {
    return this.#directory !== undefined;
  }

  /** What is put before a command so that it runs in here. */
  get wrapper(): readonly string[] {
    const priority = process.getuid?.() === 0 ? ['nice', '-n', '-10'] : [];
    if (this.#directory === undefined) return priority;
    return [...priority, 'sh', '-c', 'echo $$ >"$0" && exec "$@"', join(this.#directory, 'cgroup.procs')];
  }

  /** To be told for want of a control group. */
  add(pid: number): void {
    this.#pids.push(pid);
  }

  get pids(): readonly number[] {
    if (this.#directory === undefined) return this.#pids;
    return readFileSync(join(this.#directory, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
  }

  get cpu(): Cpu {
    if (this.#directory === undefined) return sum(this.#pids.map(cpuOf));
    const number = (file: string): number => Number(readFileSync(join(this.#directory ?? '', file), 'utf8'));
    if (this.#old) return { user: number('cpuacct.usage_user') / 1e9, system: number('cpuacct.usage_sys') / 1e9 };
    const text = readFileSync(join(this.#directory, 'cpu.stat'), 'utf8');
    const micros = (word: string): number => Number(new RegExp(`^${word} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
    return { user: micros('user_usec') / 1e6, system: micros('system_usec') / 1e6 };
  }

  /** Resident now, bytes: of all processes, shared pages counted in each; and without shared ones. */
  get memory(): { readonly resident: number; readonly own: number; readonly processes: number } {
    let [resident, own, processes] = [0, 0, 0];
    for (const pid of this.pids) {
      const parts = contentOf(`/proc/${pid}/statm`).split(' ').map(Number);
      if (parts.length < 3) continue;
      resident += (parts[1] ?? 0) * PAGE;
      own += ((parts[1] ?? 0) - (parts[2] ?? 0)) * PAGE;
      processes++;
    }
    return { resident, own, processes };
  }

  /** Ends all that runs in it. */
  async end(): Promise<void> {
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      for (const pid of this.pids) kill(pid, signal);
      const most = signal === 'SIGTERM' ? 15_000 : 10_000;
      const over = await eventually('the group is empty', () => this.#living === 0, most).catch(() => false);
      if (over) break;
    }
    this.#pids = [];
  }

  remove(): void {
    if (this.#directory === undefined) return;
    try {
      rmdirSync(this.#directory);
    } catch {
      // Somebody is still in it: an empty group costs nothing.
    }
  }

  get #living(): number {
    return this.pids.filter((pid) => /^State:\s+[^Z]/m.test(contentOf(`/proc/${pid}/status`))).length;
  }
}

/** Seconds that all processors were busy with programs, and with the kernel's own threads. */
export function busy(): { readonly programs: number } {
  const [, user = 0, nice = 0, system = 0] = contentOf('/proc/stat').split('\n')[0]!.split(/\s+/).map(Number);
  return { programs: (user + nice + system) / TICKS - sum(kernelThreads().map(cpuOf)).system };
}

function kernelThreads(): readonly number[] {
  // Their parent is kthreadd, process 2; they write back what servers have written.
  return contentOf('/proc/2/task/2/children').split(' ').filter(Boolean).map(Number);
}

function cpuOf(pid: number): Cpu {
  const fields = contentOf(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, '')
    .split(' ')
    .map(Number);
  return { user: (fields[11] ?? 0) / TICKS, system: (fields[12] ?? 0) / TICKS };
}

function sum(all: readonly Cpu[]): Cpu {
  return {
    user: all.reduce((total, { user }) => total + user, 0),
    system: all.reduce((total, { system }) => total + system, 0),
  };
}

/** Empty when it is gone, or was never there. */
function contentOf(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function made(directory: string): boolean {
  try {
    mkdirSync(directory, { recursive: true });
    return existsSync(join(directory, 'cgroup.procs'));
  } catch {
    return false;
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has gone by itself.
  }
}
