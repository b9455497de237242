import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MailIn } from './mail-in.ts';
import { type Dialogue, dialogues, matches } from './script.ts';

/** @returns what the server said in each turn */
function play(dialogue: Dialogue, cut: (text: string) => readonly string[]): readonly string[] {
  const house = new MailIn(dialogue.options);
  const peer = house.connect();
  const said = dialogue.turns.map(({ sent }) => {
    for (const part of cut(sent)) peer.host?.data(Buffer.from(part, 'latin1'));
    house.clock.turn();
    return peer.hears();
  });
  expect(peer.ended).toBe(dialogue.closes);
  expect(house.complaints).toEqual([]);
  return said;
}

/** Ids count up and dates stand still, so whole and cut runs must agree to the byte. */
describe('dialogues', () => {
  for (const dialogue of dialogues()) {
    test(`${dialogue.name}: ${dialogue.title}`, () => {
      const whole = play(dialogue, (text) => [text]);
      for (const [index, turn] of dialogue.turns.entries()) {
        const said = whole[index] ?? '';
        if (!matches(said, turn.expected)) expect(said.split('\r\n').slice(0, -1)).toEqual(turn.expected);
      }
    });

    test(`${dialogue.name}: byte by byte and cut at random`, () => {
      const whole = play(dialogue, (text) => [text]);
      expect(play(dialogue, (text) => [...text])).toEqual(whole);
      fc.assert(
        fc.property(fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 20 }), (sizes) => {
          const cut = (text: string): string[] => {
            const parts: string[] = [];
            for (let at = 0, index = 0; at < text.length; index += 1) {
              const size = sizes[index % sizes.length] ?? 1;
              parts.push(text.slice(at, at + size));
              at += size;
            }
            return parts;
          };
          expect(play(dialogue, cut)).toEqual(whole);
        }),
        { numRuns: 20 },
      );
    });
  }
});
