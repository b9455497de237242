import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { quickstartConfiguration, quickstartPlaces } from './quickstart-configuration.ts';

/** Options whose default is a place below /var, which a first start as an ordinary user may not have; docs/options.md is held to the code. */
const PLACES = [...readFileSync('docs/options.md', 'utf8').matchAll(/^\| `(\w+)` \| (\S+) \| `(?:file:\/\/)?\/var\//gm)]
  .filter(([, , scope]) => scope !== 'http_logger')
  .map(([, name]) => name ?? '');

test('the quickstart puts everything that has its default below /var into its own folder', () => {
  expect(PLACES).toContain('api_store_file');
  const text = quickstartConfiguration(quickstartPlaces('/srv/var here', '/tmp')).toLowerCase();
  for (const name of PLACES) expect(text).toContain(`${name} = "/srv/var here/`);
});
