/**
 * What does a big configuration cost: to load, to ask, to change while mail comes in?
 * Run: npm run build && node bench/config.ts [--count 100000] [--pairs 100000] [--rate 500] [--only questions|reload]
 *      [--directory DIR]
 *
 * Prints each figure beside its target, and keeps all in bench/results/config.md. Questions are asked in this process;
 * reloads are those of the real server, by its console, while a load of its own sends `--rate` messages a second.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { home } from '../test/end-to-end/harness.ts';
import { Figures, shown } from './config/figures.ts';
import { questions } from './config/questions.ts';
import { reloads } from './config/reload.ts';
import { introduce, machineLine } from './load/machine.ts';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '100000' },
    pairs: { type: 'string', default: '100000' },
    rate: { type: 'string', default: '500' },
    only: { type: 'string' },
    directory: { type: 'string', default: '/var/tmp' },
  },
});
const count = Number(values.count);
const title = `configuration: ${count} domain stanzas, ${values.pairs} domains with mail, ${values.rate} messages a second`;
introduce(title);
const figures = new Figures();
if (values.only !== 'reload') await questions(figures, count);
if (values.only !== 'questions')
  await reloads(figures, {
    count,
    pairs: Number(values.pairs),
    rate: Number(values.rate),
    directory: values.directory,
  });
keep();
process.exit(0);

function keep(): void {
  const rows = figures.all.map(
    ({ what, measured, unit, most }) =>
      `| ${what} | ${shown(measured)} ${unit} | ${most === undefined ? '' : `${most} ${unit}${measured <= most ? '' : ', not met'}`} |`,
  );
  const lines = [
    `${title}; ${machineLine()}; ${new Date().toISOString().slice(0, 10)}.`,
    '',
    '| | measured | at most |',
    '|---|--:|--:|',
    ...rows,
    '',
  ];
  const path = join(home, 'bench/results/config.md');
  mkdirSync(join(home, 'bench/results'), { recursive: true });
  writeFileSync(path, lines.join('\n'));
  console.log(`\nwritten: ${path}`);
}
