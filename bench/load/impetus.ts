import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { home } from '../../test/end-to-end/harness.ts';
import { firstLine } from './machine.ts';
import type { Mta } from './mta.ts';

/** This server, as bench/relay starts it: logs on, as shipped. */
export const impetus: Mta = {
  name: 'impetus',
  version: () => firstLine(join(home, 'bin/impetus'), 'version'),
  prepare({ directory, port, sink, mode }) {
    const spool = join(directory, 'spool');
    mkdirSync(spool);
    return { words: [join(home, 'bench/relay'), String(port), String(sink), spool, mode] };
  },
};
