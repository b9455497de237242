/**
 * Stands for npm: `ci` puts into the folder just what the set-up needs to see there. Each call is noted in the file
 * $FAKE_LOG, together with those settings of the environment that would change an installation.
 */
import { appendFileSync, chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const words = process.argv.slice(2);
const folder = words[words.indexOf('--prefix') + 1];
const inherited = Object.keys(process.env).filter((name) =>
  /^NODE_ENV$|^npm_config_(omit|global|dry_run|package_lock)/.test(name),
);
appendFileSync(process.env.FAKE_LOG, `${JSON.stringify({ words, inherited, cache: process.env.npm_config_cache })}\n`);

rmSync(join(folder, 'node_modules'), { recursive: true, force: true });
mkdirSync(join(folder, 'node_modules/half'), { recursive: true });
if (process.env.FAKE_NPM === 'fail') {
  console.error('npm error the network is down');
  process.exit(1);
}
// Hangs until it is killed, with half of its work done.
if (process.env.FAKE_NPM === 'hang') {
  appendFileSync(process.env.FAKE_LOG, 'hanging\n');
  await new Promise(() => setInterval(() => {}, 1000));
}

const [wanted] = Object.keys(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).dependencies ?? {});
const put = (path, text) => {
  const file = join(folder, 'node_modules', path);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, text);
  chmodSync(file, 0o755);
};
if (wanted?.startsWith('node-')) {
  put(
    `${wanted}/bin/node`,
    `#!/bin/sh\n[ "$1" = --version ] && { echo v24.77.0; exit; }\nexec "${process.execPath}" "$@"\n`,
  );
  put(`${wanted}/LICENSE`, 'a licence\n');
} else {
  mkdirSync(join(folder, 'node_modules/typescript/bin'), { recursive: true });
  copyFileSync(process.env.FAKE_TSC, join(folder, 'node_modules/typescript/bin/tsc'));
}
