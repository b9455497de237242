import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { RealServer } from '../support/real-server.ts';

const page = readFileSync(new URL('../../docs/transmissions.md', import.meta.url), 'utf8');
const shell = promisify(execFile);

test('docs/transmissions.md: each command prints what stands under it', async () => {
  await using real = await RealServer.start();
  const steps = [...page.matchAll(/^```sh\n(.*?)^```\n+```(?:json|text)\n(.*?)^```$/gms)];
  expect(steps.length).toBeGreaterThan(6);
  for (const [, command = '', answer = ''] of steps) {
    const env = { ...process.env, KEY: real.key, URL: real.origin };
    const { stdout } = await shell('sh', ['-c', command], { env });
    expect(stdout.trim().replace(/"id":"\d{15,}"/, '"id":"…"')).toBe(answer.trim());
  }
});
