import { fileURLToPath } from 'node:url';
import {
  type CoverageLine,
  configSchema,
  familyTables,
  Manual,
  moduleLines,
  stanzaLines,
  totalLine,
} from '../src/config/index.ts';
import { declaredOptions, moduleNames } from '../src/main/index.ts';
import { writePage } from './write-page.ts';

/** Where the page stands. */
export const page = fileURLToPath(new URL('../docs/coverage.md', import.meta.url));

/** `docs/coverage.md`: what of Momentum's configuration is implemented. `node scripts/coverage.ts` writes it; a test holds it to the code. */
export function coveragePage(): string {
  const manual = new Manual(configSchema(declaredOptions, moduleNames));
  const families = familyTables(manual);
  const { total } = manual.coverage;
  const counts = [
    ...families.map(({ title, count }) => `| ${title} | ${count.implemented} | ${count.all} |`),
    `| **all settings** (an option in a scope) | **${total.settings.implemented}** | **${total.settings.all}** |`,
    `| stanzas | ${total.stanzas.implemented} | ${total.stanzas.all} |`,
    `| modules, with all their options | ${total.modules.implemented} | ${total.modules.all} |`,
  ];
  const tables = families.map(({ title, rows }) => `## ${title}\n\n${table('option', 'where', rows)}`);
  return `# What is implemented

Made from the code by \`node scripts/coverage.ts\`. Everything here is known to \`impetus check\`: what is not implemented yet is
accepted, its values are checked, and it changes nothing. \`impetus check --coverage\` prints the same;
\`impetus check -c FILE --coverage\` tells what of it a configuration uses, with file and line; \`impetus docs option NAME\`
explains one option. *some* is implemented in some scopes, or with some of its values, only.

${totalLine(manual)}

| scopes | implemented | of |
|---|---|---|
${counts.join('\n')}

${tables.join('\n\n')}

## Stanzas

${table('stanza', 'in', stanzaLines(manual))}

## Modules

${table('module', 'options', moduleLines(manual))}
`;
}

function table(what: string, where: string, rows: readonly CoverageLine[]): string {
  const lines = rows.map((row) => `| \`${row.name}\` | ${row.mark} | ${cell(row.where)} | ${cell(row.text)} |`);
  return `| ${what} | implemented | ${where} | what it does, or would do |\n|---|---|---|---|\n${lines.join('\n')}`;
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '\\<').replaceAll('*', '\\*');

if (process.argv[1] === fileURLToPath(import.meta.url)) writePage(page, coveragePage());
