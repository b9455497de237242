import { expect, test } from 'vitest';
import { loadConfiguration } from '../config/index.ts';
import { simWorld } from '../world/sim/index.ts';
import { keyWarnings } from './key-check.ts';
import { authOptions, mechanismOptions } from './options.ts';

const KEYS = 'AuthPlainParameters = [ uri = "apikey://" ]';

async function warned(text: string): Promise<number> {
  const { disk, clock } = simWorld();
  disk.put('/etc/i.conf', text);
  const { current } = await loadConfiguration({
    disk,
    clock,
    file: '/etc/i.conf',
    searchPath: [],
    declared: authOptions,
    modules: [],
  });
  return keyWarnings(current, mechanismOptions).length;
}

test('API keys where no mail comes in by them is a warning', async () => {
  expect(await warned(`HTTP_Listener { Listen "*:80" { ${KEYS} } }`)).toBe(1);
  expect(
    await warned(`ESMTP_Listener { Listen "*:25" { ${KEYS} } } ECStream_Listener { Listen "*:1825" { ${KEYS} } }`),
  ).toBe(0);
});
