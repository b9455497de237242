import {
  bodyFrame,
  byeFrame,
  capabilities,
  ecstreamTargets,
  helloFrame,
  type FuzzTarget as MachineTarget,
  messageFrame,
  NO_VALUES,
  PREFACE,
  welcomeFrame,
  windowFrame,
} from '../../../src/ecstream/index.ts';
import type { Dice } from '../../sim/dice.ts';
import { cutsFor, type FuzzTarget } from '../target.ts';

const ALL = capabilities.ids | capabilities.dedup | capabilities.crc | capabilities.deflate;
/** Beside what was sent, a machine may keep one frame that it inflates. */
const MOST_KEPT = 1_048_576;

const hello = (): Buffer => helloFrame({ lowest: 1, highest: 1, capabilities: ALL, client: 'c', host: 'c.test' });

function message(dice: Dice, seq: number): readonly Uint8Array[] {
  const recipients = Array.from({ length: dice.between(1, 3) }, (_, index) => ({
    address: `r${index}@y.test`,
    context: dice.happens(0.3) ? { k: 'v' } : NO_VALUES,
  }));
  const context = dice.happens(0.3) ? { ec_dedup: '0123456789abcdef' } : NO_VALUES;
  const body = Buffer.from(`Subject: ${seq}\r\n\r\n${'x'.repeat(dice.scale(1, 2000))}\r\n`);
  const coding = { deflate: dice.happens(0.3), crc: undefined };
  const whole = dice.happens(0.7);
  const head = messageFrame(seq, { flags: 0, sender: 'a@x.test', context, recipients }, [body], whole, coding);
  return whole ? head : [...head, ...bodyFrame(seq, [body], true, coding)];
}

/** What each machine is sent when all is well. */
const USUAL: Readonly<Record<string, (dice: Dice) => Buffer>> = {
  'ecstream server': (dice) => {
    const messages = Array.from({ length: dice.between(0, 4) }, (_, index) => message(dice, index + 1));
    return Buffer.concat([PREFACE, hello(), ...messages.flat()]);
  },
  'ecstream client': (dice) => {
    const welcome = welcomeFrame({
      version: 1,
      auth: dice.happens(0.1),
      capabilities: ALL,
      ackMillis: 10,
      maxRecipients: 100,
      maxFrame: MOST_KEPT,
      maxMessage: 0,
      windowMessages: 10,
      windowBytes: 100_000,
      host: 'm.test',
    });
    return Buffer.concat([PREFACE, welcome, windowFrame(dice.between(0, 9), 1000), byeFrame(1, 421, 'bye')]);
  },
};

function fed({ name, run }: MachineTarget): FuzzTarget {
  return {
    name: name.replace(' ', '-'),
    about: 'ends with no exception, and keeps no more than it was sent and one frame, however its bytes come',
    words: ['\x89ECS\r\n\x1a\n', '\xff\xff\xff\xff', '\0\0\0\0', '\0\x01', '\xff\xff'],
    generate: (dice) => USUAL[name]?.(dice) ?? Buffer.alloc(0),
    check(input) {
      for (const cut of cutsFor(input)) {
        const kept = run([...cut(input)]);
        if (kept > input.length + MOST_KEPT) return `${kept} bytes are kept of ${input.length}`;
      }
      return undefined;
    },
  };
}

export const ecstream: readonly FuzzTarget[] = ecstreamTargets.map(fed);
