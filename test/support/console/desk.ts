import { type Endpoint, millis } from '../../../src/base/index.ts';
import { consoleClient, type Terminal } from '../../../src/console/index.ts';
import type { Process } from '../../../src/world/index.ts';
import { SimChance } from '../../../src/world/sim/chance.ts';
import { SimClock } from '../../../src/world/sim/clock.ts';
import { SimDisk } from '../../../src/world/sim/disk.ts';
import { simHashing } from '../../../src/world/sim/hashing.ts';
import { type Served, socket } from './peer.ts';

type Reading = Parameters<Terminal['lines']>[0];

/** A shell, a keyboard and a screen. */
export class Desk {
  /** What is typed, line by line; a function is called instead and may wait. */
  typed: (string | (() => unknown))[] = [];
  stdin: string | undefined;
  control: string | undefined;
  /** What is typed where nobody sees it, and what else the shell has. */
  secrets: string[] = [];
  shell: Record<string, string> = {};
  disk = new SimDisk(new SimClock(), new SimChance(1));
  /** Where ssh leads. */
  through: Endpoint | undefined;
  /** What ssh was called with. */
  ssh: (readonly string[])[] = [];
  screen = '';
  said = '';
  complaints = '';
  paged: string[] = [];
  /** The screen takes nothing until this resolves. */
  stuck: Promise<void> | undefined;
  reading: Reading | undefined;

  get process(): Process {
    const desk = this;
    return {
      id: 1,
      hostName: 'mx.example',
      system: { release: '', uname: '', bits: 64 },
      arguments: [],
      memory: () => ({ used: 0, limit: 0 }),
      directory: '/run',
      isTerminal: { input: this.stdin === undefined, output: true },
      environment: (name) => (name === 'CONTROL' ? this.control : this.shell[name]),
      say: (text) => void (this.said += text),
      complain: (text) => void (this.complaints += text),
      async *input() {
        for (const byte of Buffer.from(desk.stdin ?? '')) yield Uint8Array.of(byte);
      },
      onSignal: () => ({ [Symbol.dispose]: () => {} }),
      exit: () => {
        throw new Error('a client returns its code');
      },
    };
  }

  get terminal(): Terminal {
    const desk = this;
    return {
      rows: 5,
      write(bytes) {
        desk.screen += Buffer.from(bytes).toString('utf8');
        return desk.stuck;
      },
      secret: async (question) => {
        desk.screen += `${question}\n`;
        return desk.secrets.shift();
      },
      flush: async () => {},
      async *lines(reading) {
        desk.reading = reading;
        for (const line of desk.typed) {
          desk.screen += reading.prompt();
          if (typeof line !== 'string') {
            await line();
            continue;
          }
          desk.screen += `${line}\n`;
          yield line;
        }
      },
      page() {
        desk.paged.push('');
        return {
          write: (bytes) => {
            desk.paged[desk.paged.length - 1] += Buffer.from(bytes).toString('utf8');
            return undefined;
          },
          close: async () => {},
        };
      },
      timeOfDay: () => '10:47:35',
    };
  }

  run({ house, network }: Pick<Served, 'house' | 'network'>, ...words: string[]): Promise<number> {
    return house.clock.until(
      consoleClient({
        network,
        disk: this.disk,
        chance: new SimChance(11),
        hashing: simHashing,
        programs: {
          pipe: (program, call, host) => {
            this.ssh.push([program, ...call]);
            return network.connect(this.through ?? socket, undefined, host);
          },
        },
        clock: house.clock,
        process: this.process,
        terminal: this.terminal,
        version: '1.2.3',
        arguments: words,
        defaults: ['/run/other', '/run/impetus/2025'],
      }),
    );
  }

  /** Nobody types for a while. */
  waits({ house }: Pick<Served, 'house'>, time: number): Promise<void> {
    return new Promise((resolve) => house.clock.at(millis(house.clock.now() + time), resolve));
  }
}
