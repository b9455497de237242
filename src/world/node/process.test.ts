import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const module = JSON.stringify(fileURLToPath(new URL('./index.ts', import.meta.url)));

test('a program reads its input, hears signals, speaks and exits with its code', () => {
  const script = `
    import { nodeProcess } from ${module};
    const me = nodeProcess();
    let size = 0;
    for await (const chunk of me.input()) size += chunk.length;
    me.say(\`\${me.arguments.join(',')} \${size} \${me.environment('WORD')} \${me.environment('NONE')} \${me.isTerminal.input}\\n\`);
    me.onSignal('SIGUSR2', () => me.say('not heard'))[Symbol.dispose]();
    me.onSignal('SIGHUP', () => { me.say('heard\\n'); me.exit(3); });
    process.kill(me.id, 'SIGHUP');
    setInterval(() => 0, 1000);
  `;
  let code: unknown;
  let out = '';
  try {
    execFileSync(process.execPath, ['--input-type=module', '-e', script, 'one', 'two'], {
      input: 'x'.repeat(100_000),
      env: { WORD: 'w' },
      encoding: 'utf8',
    });
  } catch (error) {
    if (error instanceof Error && 'status' in error && 'stdout' in error) {
      code = error.status;
      out = String(error.stdout);
    }
  }
  expect(out).toMatch(/two 100000 w undefined false\nheard\n$/);
  expect(code).toBe(3);
});

test('a reader of our output who stops early is no error', () => {
  const script = `import { nodeProcess } from ${module}; const me = nodeProcess(); for (let i = 0; i < 20000; i++) me.say('line ' + i + '\\n'); setTimeout(() => me.exit(0), 50);`;
  const out = execFileSync(
    'sh',
    ['-c', '"$0" --input-type=module -e "$1" | head -1; echo ok', process.execPath, script],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
  );
  expect(out).toBe('line 0\nok\n');
});

test('a slow reader of our output gets all of it before the program ends', () => {
  const script = `import { nodeProcess, outputWritten } from ${module}; const me = nodeProcess(); me.say('x'.repeat(3_000_000)); me.complain('y'.repeat(300_000)); await outputWritten(); me.exit(0);`;
  // One byte by a program of its own first, so that the pipe is full long before anybody reads the rest.
  const reader = '{ dd bs=1 count=1 2>/dev/null | wc -c; wc -c; }';
  const out = execFileSync(
    'sh',
    ['-c', `{ "$0" --input-type=module -e "$1" 2>&1; } | ${reader}`, process.execPath, script],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
  );
  expect(out.trim().split(/\s+/)).toEqual(['1', '3299999']);
});
