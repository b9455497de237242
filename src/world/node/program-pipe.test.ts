import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { ConnectHost, NetworkError, Pipe } from '../world.ts';
import { nodePrograms } from './program-pipe.ts';

/** Collects what a program says, until its end. */
function started(program: string, words: readonly string[]): { pipe: Pipe; ended: Promise<[string, string?]> } {
  let text = '';
  let pipe: Pipe | undefined;
  const ended = new Promise<[string, string?]>((resolve) => {
    const host: ConnectHost = {
      opened: () => undefined,
      data: (bytes) => {
        text += Buffer.from(bytes).toString();
      },
      drained: () => undefined,
      closed: (why?: NetworkError) => resolve(why === undefined ? [text] : [text, `${why.code} ${why.message}`]),
    };
    pipe = nodePrograms.pipe(program, words, host);
  });
  if (pipe === undefined) throw new Error('no pipe');
  return { pipe, ended };
}

test('what is written comes to the program, what it says comes back, and words go through no shell', async () => {
  const { pipe, ended } = started(process.execPath, ['-e', 'process.stdin.pipe(process.stdout);', '$HOME;']);
  pipe.write([Buffer.from('one '), Buffer.from('two')]);
  pipe.end();
  expect(await ended).toEqual(['one two']);
});

test('a program that fails or does not exist is a broken connection with a reason', async () => {
  expect(await started(process.execPath, ['-e', 'process.exit(255)']).ended).toEqual([
    '',
    expect.stringMatching(/^EPIPE .* ended with code 255$/),
  ]);
  expect(await started('/no/such/program', []).ended).toEqual([
    '',
    expect.stringMatching(/^ENOENT .*cannot be started/),
  ]);
  // Node throws at these instead.
  const file = fileURLToPath(import.meta.url);
  expect(await started(`${file}/within`, []).ended).toEqual([
    '',
    expect.stringMatching(/^ENOTDIR .*cannot be started/),
  ]);
  const nul = started(process.execPath, ['a\0b']);
  expect(nul.pipe.write([Buffer.from('nobody reads')])).toBe(true);
  nul.pipe.end();
  expect(await nul.ended).toEqual(['', expect.stringMatching(/cannot be started/)]);
});

test('a program that is to end at once is ended', async () => {
  const { pipe, ended } = started(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  pipe.destroy();
  expect(await ended).toEqual(['']);
});
