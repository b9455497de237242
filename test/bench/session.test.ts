import { expect, test } from 'vitest';
import { paced } from '../../bench/load/paced.ts';
import { textOf } from '../../bench/load/session.ts';
import { eventually, SinkProcess } from '../end-to-end/harness.ts';

test('a text has the length it was asked for, dot and all its line ends behind it', () => {
  for (const bytes of [200, 1024, 10_240]) {
    const text = textOf(bytes).toString('latin1');
    expect(text).toHaveLength(bytes + 3);
    expect(text.endsWith('\r\n.\r\n')).toBe(true);
    expect(text).not.toMatch(/\r(?!\n)|(?<!\r)\n/);
  }
});

test.for([true, false])(
  'a paced load keeps its pace, and each message is taken (a connection each: %s)',
  async (once) => {
    await using sink = await SinkProcess.start();
    const pace = { port: sink.port, rate: 200, seconds: 0.5, bytes: 2000, sessions: 5, once };
    const { messages, rate, p50, most } = await paced(pace);
    expect(messages).toBe(100);
    expect(rate).toBeGreaterThan(50);
    expect(rate).toBeLessThan(210);
    expect(p50).toBeLessThanOrEqual(most);
    await eventually('all of them', () => sink.accepted('b@dst.test').length === 100);
    const started = await paced({ ...pace, seconds: 60, enough: () => sink.accepted('b@dst.test').length > 150 });
    expect(started.messages).toBeGreaterThan(40);
  },
);
