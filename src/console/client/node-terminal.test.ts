import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { millis } from '../../base/index.ts';
import { nodeTerminal } from './node-terminal.ts';
import type { Reading, Terminal } from './terminal.ts';

/** Streams hand their data over in a turn of the loop. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface Screen {
  readonly input: PassThrough;
  readonly terminal: Terminal;
  shown(): string;
}

function screen(pager = 'cat >/dev/null'): Screen {
  const input = new PassThrough();
  const output = new PassThrough();
  let text = '';
  output.on('data', (chunk: Buffer) => {
    text += chunk.toString('utf8');
  });
  return { input, terminal: nodeTerminal({ input, output, pager }), shown: () => text };
}

function reading(more: Partial<Reading> = {}): Reading {
  return { prompt: () => 'now> ', complete: async () => [], interrupted: () => {}, ...more };
}

async function collected(lines: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const line of lines) all.push(line);
  return all;
}

test('lines come as typed, also several at once, until Ctrl-D', async () => {
  const { input, terminal, shown } = screen();
  const lines = collected(terminal.lines(reading()));
  input.write('pid\rsummary\rmail');
  input.write('q\r\x04');
  expect(await lines).toEqual(['pid', 'summary', 'mailq']);
  expect(shown()).toContain('now> ');
});

test('the arrow key brings back history, Ctrl-C clears the line, Tab completes', async () => {
  const { input, terminal } = screen();
  const lines = terminal
    .lines(reading({ complete: async (begun) => (begun === 'sum' ? ['summary '] : []) }))
    [Symbol.asyncIterator]();
  const typing = async (...keys: string[]): Promise<string | undefined> => {
    const line = lines.next();
    for (const key of keys) {
      await turn();
      input.write(key);
    }
    return (await line).value;
  };
  expect(await typing('first\r')).toBe('first');
  expect(await typing('\x1b[A', '\r')).toBe('first');
  expect(await typing('wrong\x03pid\r')).toBe('pid');
  expect(await typing('sum', '\t', 'reset\r')).toBe('summary reset');
  expect(await typing('\x04')).toBeUndefined();
}, 5000);

test('Ctrl-C while a command runs is handed on', async () => {
  const { input, terminal } = screen();
  let interrupted = 0;
  input.write('long\r');
  for await (const line of terminal.lines(reading({ interrupted: () => interrupted++ }))) {
    if (line === 'end') break;
    input.write('\x03');
    await turn();
    await turn();
    input.write('end\r');
  }
  expect(interrupted).toBe(1);
}, 5000);

test('a password that is asked for between two lines is neither shown nor a line, and lines come again behind it', async () => {
  const { input, terminal, shown } = screen();
  const lines: string[] = [];
  let password: string | undefined;
  input.write('first\r');
  for await (const line of terminal.lines(reading())) {
    lines.push(line);
    if (line === 'first') {
      const asked = terminal.secret('Password: ');
      await turn();
      input.write('hunter2\r');
      password = await asked;
      input.write('second\r\x04');
    }
  }
  expect(password).toBe('hunter2');
  expect(lines).toEqual(['first', 'second']);
  expect(shown()).not.toContain('hunter2');
}, 5000);

test('a pager is started, fed, and waited for; one that leaves early is no trouble', async () => {
  const { terminal } = screen();
  const pager = terminal.page();
  await pager.write(Buffer.alloc(100_000, 0x61));
  await pager.close();
  const hasty = screen('true').terminal.page();
  for (let count = 0; count < 10; count++) await hasty.write(Buffer.alloc(1_000_000, 0x61));
  await hasty.close();
});

test('writing waits for a full stream and not for a closed one', async () => {
  const output = new PassThrough({ highWaterMark: 10 });
  const terminal = nodeTerminal({ input: new PassThrough(), output, pager: 'true' });
  const full = terminal.write(Buffer.alloc(20));
  expect(full).toBeInstanceOf(Promise);
  output.destroy();
  await full;
  expect(terminal.write(Buffer.from('x'))).toBeUndefined();
  await terminal.flush();
  expect(terminal.timeOfDay(millis(0))).toMatch(/^\d\d:\d\d:\d\d$/);
  expect(terminal.rows).toBe(24);
});
