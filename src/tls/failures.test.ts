import { expect, test } from 'vitest';
import { simWorld } from '../world/sim/index.ts';
import { HandshakeFailures } from './failures.ts';

test('a flood of failed handshakes makes one line a second, with a count', async () => {
  const { clock } = simWorld();
  const lines: string[] = [];
  const failures = new HandshakeFailures(clock, { diagnose: (_level, _module, text) => void lines.push(text) });
  for (let n = 1; n <= 1000; n++) failures.add(`192.0.2.1:${n}`, 'wrong version number');
  expect(lines).toEqual(['TLS handshake with 192.0.2.1:1 failed: wrong version number']);
  await clock.advance(999);
  expect(lines).toHaveLength(1);
  await clock.advance(1);
  expect(lines[1]).toBe('TLS handshake with 192.0.2.1:1000 failed: wrong version number (and 998 more)');
  expect(failures.count).toBe(1000);
  await clock.advance(5000);
  failures.add('192.0.2.9:1', 'no shared cipher');
  expect(lines).toHaveLength(3);
  failures.add('192.0.2.9:2', 'no shared cipher');
  failures[Symbol.dispose]();
  expect(lines[3]).toBe('TLS handshake with 192.0.2.9:2 failed: no shared cipher');
  await clock.advance(5000);
  expect(lines).toHaveLength(4);
});
