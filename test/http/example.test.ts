import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { RealServer } from '../support/real-server.ts';

const program = fileURLToPath(new URL('../../examples/mailer/main.ts', import.meta.url));
const run = promisify(execFile);

test('examples/mailer sends, says how many were accepted, and tells what is wrong', async () => {
  await using real = await RealServer.start();
  const env = { ...process.env, IMPETUS_URL: real.origin, IMPETUS_KEY: real.key };
  const { stdout } = await run(process.execPath, [program, 'ann@x.test', 'bob@x.test', 'nobody'], { env });
  expect(stdout).toMatch(/^transmission \d+: 2 accepted, 1 rejected\n$/);
  await expect(run(process.execPath, [program, 'nobody'], { env })).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('none of the recipients is valid') as string,
  });
});
