import { arch, hostname, machine, release, totalmem, type, version } from 'node:os';
import { isatty } from 'node:tty';
import type { Process } from '../process.ts';

/** The process of the system that runs this program. */
export interface NodeProcess extends Process {
  /**
   * Until all that was said has been taken, or its reader is gone. A pipe holds 64 kB, and an exit loses what is behind
   * that: a program that prints much and ends waits for this.
   */
  flushed(): Promise<void>;
}

export function nodeProcess(): NodeProcess {
  for (const stream of [process.stdout, process.stderr]) {
    // Who reads our output may stop early (`ec_console … | head`): that is no reason to fail.
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
  return {
    id: process.pid,
    hostName: hostname(),
    system: {
      bits: arch().includes('64') || arch() === 's390x' ? 64 : 32,
      release: `${type()} ${release()}`,
      uname: `${type()} ${hostname()} ${release()} ${version()} ${machine()}`,
    },
    arguments: process.argv.slice(2),
    directory: process.cwd(),
    memory: () => {
      // Without a control group's limit the system reports none, or one beyond all memory.
      const constrained = process.constrainedMemory();
      const total = totalmem();
      return { used: process.memoryUsage.rss(), limit: constrained > 0 && constrained < total ? constrained : total };
    },
    isTerminal: { input: isatty(0), output: isatty(1) },
    environment: (name) => process.env[name],
    say: (text) => {
      process.stdout.write(text);
    },
    complain: (text) => {
      process.stderr.write(text);
    },
    input: () => process.stdin,
    onSignal: (name, run) => {
      const heard = (): void => run();
      process.on(name, heard);
      return {
        [Symbol.dispose]: () => {
          process.off(name, heard);
        },
      };
    },
    async flushed() {
      for (const stream of [process.stdout, process.stderr]) {
        if (stream.writableLength > 0) await new Promise<void>((done) => stream.write('', () => done()));
      }
    },
    exit: (code) => process.exit(code),
  };
}

/** What the machine calls itself. */
export const machineName = (): string => hostname();
