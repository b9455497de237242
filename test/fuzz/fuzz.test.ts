import { expect, test } from 'vitest';
import { broken, corpusOf, fuzz } from './fuzzer.ts';
import type { FuzzTarget } from './target.ts';
import { conversation, soundLogins, wireOf } from './targets/sasl.ts';
import { targets } from './targets.ts';

test.for(targets)('$name holds for what is kept, and for some hundred inputs', async (target) => {
  for (const { file, input } of corpusOf(target.name)) expect(await broken(target, input), file).toBeUndefined();
  const { runs, finding } = await fuzz(target, { seed: 1, runs: 300, most: 400 });
  expect(finding?.what, finding && JSON.stringify(finding.input.toString('latin1'))).toBeUndefined();
  expect(runs).toBeGreaterThan(0);
});

test('a rule that is broken is found, made small, and found again from its bytes', async () => {
  const target: FuzzTarget = {
    name: 'a parser with a bug',
    about: '',
    words: ['needle'],
    generate: (dice) => Buffer.from('hay '.repeat(dice.between(1, 100))),
    check: (input) => {
      if (input.includes('needle')) throw new Error('it pricks');
      return undefined;
    },
  };
  const { finding } = await fuzz(target, { seed: 1, runs: 10_000, most: 20_000 });
  expect(finding?.input.toString()).toBe('needle');
  expect(finding?.what).toContain('it pricks');
  expect(await broken(target, finding?.input ?? Buffer.alloc(0))).toContain('it pricks');
});

test('an input that takes far too long for its size is a finding', async () => {
  const slow: FuzzTarget = {
    name: 'slow',
    about: '',
    words: [],
    generate: () => Buffer.alloc(10),
    check: () => {
      const began = process.cpuUsage();
      while (process.cpuUsage(began).user < 120_000);
      return undefined;
    },
  };
  expect(await broken(slow, Buffer.alloc(10))).toMatch(/^slow: \d+ ms for 10 bytes$/);
});

test('the same seed tries the same inputs', async () => {
  const seen: string[][] = [];
  for (let time = 0; time < 2; time++) {
    const inputs: string[] = [];
    seen.push(inputs);
    const [first] = targets;
    if (first === undefined) throw new Error('no targets');
    const spy = { ...first, check: (input: Buffer) => void inputs.push(input.toString('latin1')) };
    await fuzz(spy, { seed: 7, runs: 50, most: 60_000 });
  }
  expect(seen[0]).toHaveLength(50);
  expect(seen[1]).toEqual(seen[0]);
});

test.for(soundLogins)('the SASL target knows how to get in: %j', async (login) => {
  const wire = wireOf(Buffer.from(`EHLO x\n${login}MAIL FROM:<a@example.com>\n`, 'latin1'));
  const { said, trouble } = await conversation('secret', wire, (bytes) => [bytes]);
  expect([said.match(/^235 /gm)?.length, said.match(/^250 2\.1\.0 /gm)?.length, trouble]).toEqual([1, 1, undefined]);
});
