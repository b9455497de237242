import type { Reaction } from './habits.ts';

/** A reply as it was meant. */
export interface Said {
  readonly code: number;
  readonly text: readonly string[];
}

/** A reply as it is spoken. */
export interface Speech {
  readonly pieces: readonly string[];
  /** What a client must understand; undefined when it cannot. */
  readonly said: Said | undefined;
  readonly then: 'go on' | 'silence' | 'end' | 'destroy';
}

export const isGood = (said: Said | undefined): boolean => said !== undefined && said.code >= 200 && said.code < 300;

/** @returns how `good` comes out of a peer that reacts in that way */
export function spoken(how: Reaction, good: Said): Speech {
  switch (how) {
    case 'well':
    case 'slowly':
      return whole(good);
    case 'byte by byte':
      return { ...whole(good), pieces: [...written(good)] };
    case 'in many lines':
      return whole({ code: good.code, text: [...good.text, ...Array.from({ length: 40 }, (_, at) => `more ${at}`)] });
    case 'soft':
      return whole({ code: 451, text: ['4.7.1 not now'] });
    case 'hard':
      return whole({ code: 550, text: ['5.7.1 never'] });
    case 'goodbye':
      return { ...whole({ code: 421, text: ['4.3.2 going down'] }), then: 'end' };
    case 'close':
      return { pieces: [], said: undefined, then: 'end' };
    case 'reset':
      return { pieces: [], said: undefined, then: 'destroy' };
    case 'hang':
      return { pieces: [], said: undefined, then: 'silence' };
    case 'nonsense':
      return { pieces: ['\x00\xffwelcome to the machine\r\n'], said: undefined, then: 'go on' };
    case 'strange code':
      return { pieces: ['999 beyond all classes\r\n'], said: undefined, then: 'go on' };
    case 'mixed, good last':
      return { pieces: ['450-perhaps\r\n', written(good)], said: good, then: 'go on' };
    case 'mixed, bad last': {
      const bad = { code: 450, text: ['4.2.0 after all not'] };
      return { pieces: [`${good.code}-perhaps\r\n`, written(bad)], said: bad, then: 'go on' };
    }
    case 'a megabyte':
      return whole({ code: good.code, text: [...Array.from({ length: 1000 }, () => 'x'.repeat(1000)), 'done'] });
    case 'an endless line':
      return { pieces: [`${good.code} ${'x'.repeat(1_000_000)}`], said: undefined, then: 'silence' };
    case 'and closes':
      return { ...whole(good), then: 'end' };
  }
}

const whole = (said: Said): Speech => ({ pieces: [written(said)], said, then: 'go on' });

const written = ({ code, text }: Said): string =>
  text.map((line, at) => `${code}${at === text.length - 1 ? ' ' : '-'}${line}\r\n`).join('');
