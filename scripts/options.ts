import { fileURLToPath } from 'node:url';
import { configOptions, mode, type Option } from '../src/config/index.ts';
import { declaredOptions } from '../src/main/index.ts';
import { writePage } from './write-page.ts';

/** Where the page stands. */
export const page = fileURLToPath(new URL('../docs/options.md', import.meta.url));

/** `docs/options.md`: every option that some code reads. `node scripts/options.ts` writes it; a test holds it to the code. */
export function optionsPage(): string {
  const byName = new Map<string, Option<unknown>>();
  for (const option of [...configOptions, ...declaredOptions]) {
    const key = `${option.name} ${[...option.scopes].sort().join(' ')}`;
    if (!byName.has(key)) byName.set(key, option);
  }
  const rows = [...byName.values()].sort((one, other) => (one.name < other.name ? -1 : one.name > other.name ? 1 : 0));
  const lines = rows.map(
    (option) =>
      `| \`${option.name}\` | ${option.scopes.join(', ')} | ${defaultText(option)} | ${option.dynamic ? '' : 'restart'} | ${plain(option.summary)} |`,
  );
  return `# Options that work

Made from the code by \`node scripts/options.ts\`. Every other option of Momentum is accepted, and \`impetus check\` names it as
\`not implemented yet\`. Sizes are in bytes, durations in seconds; where an option may stand, and which of several values is in
force, is told by \`impetus check\` and by the console's \`config eval\`.

| option | where | default | change takes | what it does |
|---|---|---|---|---|
${lines.join('\n')}
`;
}

/** Text that a page shows as it is: `__mx__` is not bold, and `<>` no tag. */
function plain(text: string): string {
  return text.replace(/[<*|]|(?<=_)_|_(?=_)/g, '\\$&');
}

function defaultText({ initial, type }: Option<unknown>): string {
  if (initial === undefined) return '–';
  if (typeof initial === 'object' && initial !== null) return Array.isArray(initial) ? `( ${initial.join(' ')} )` : '–';
  return `\`${typeof initial === 'number' && type === mode ? `0${initial.toString(8)}` : String(initial)}\``;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writePage(page, optionsPage());
