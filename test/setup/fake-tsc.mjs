/** Stands for the compiler: the sources of the tests are JavaScript already. `ERROR` in one makes it fail. */
import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';

appendFileSync(process.env.FAKE_LOG, 'compiling\n');
const out = process.argv[process.argv.indexOf('--outDir') + 1];
for (const name of readdirSync('src')) {
  const text = readFileSync(`src/${name}`, 'utf8');
  if (text.includes('ERROR')) {
    console.log(`src/${name}(1,1): error`);
    process.exit(2);
  }
  mkdirSync(out, { recursive: true });
  writeFileSync(`${out}/${name.replace('.ts', '.js')}`, text);
}
