import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { turnEnd } from '../../src/world/sim/turn.ts';
import { MailIn } from './mail-in.ts';
import { type Dialogue, dialogues, matches } from './script.ts';

/** @returns what the server said in each turn */
async function play(dialogue: Dialogue, cut: (text: string) => readonly string[]): Promise<readonly string[]> {
  const house = new MailIn(dialogue.options, dialogue.files);
  const peer = house.connect();
  const said: string[] = [];
  for (const { sent, seconds } of dialogue.turns) {
    for (const part of cut(sent)) peer.host?.data(Buffer.from(part, 'latin1'));
    house.clock.turn();
    // Credentials are looked up by promises.
    await turnEnd();
    if (seconds > 0) {
      house.clock.pass(seconds);
      await turnEnd();
    }
    house.clock.turn();
    said.push(peer.hears());
  }
  expect(peer.ended).toBe(dialogue.closes);
  expect(house.complaints).toEqual([]);
  return said;
}

/** Ids count up and dates stand still, so whole and cut runs must agree to the byte. */
describe('dialogues', () => {
  for (const dialogue of dialogues()) {
    test(`${dialogue.name}: ${dialogue.title}`, async () => {
      const whole = await play(dialogue, (text) => [text]);
      for (const [index, turn] of dialogue.turns.entries()) {
        const said = whole[index] ?? '';
        if (!matches(said, turn.expected)) expect(said.split('\r\n').slice(0, -1)).toEqual(turn.expected);
      }
    });

    test(`${dialogue.name}: byte by byte and cut at random`, async () => {
      const whole = await play(dialogue, (text) => [text]);
      expect(await play(dialogue, (text) => [...text])).toEqual(whole);
      await fc.assert(
        fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 20 }), async (sizes) => {
          const cut = (text: string): string[] => {
            const parts: string[] = [];
            for (let at = 0, index = 0; at < text.length; index += 1) {
              const size = sizes[index % sizes.length] ?? 1;
              parts.push(text.slice(at, at + size));
              at += size;
            }
            return parts;
          };
          expect(await play(dialogue, cut)).toEqual(whole);
        }),
        { numRuns: 20 },
      );
    });
  }
});
