import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { home } from '../../test/end-to-end/harness.ts';
import { firstLine } from './machine.ts';
import type { Mta } from './mta.ts';

/** This server with more in its configuration, logs on, as shipped. It takes mail and keeps it: nothing is delivered. */
export const variant = (name: string, listener: string, outside = ''): Mta => ({
  name,
  version: () => firstLine(join(home, 'bin/impetus'), 'version'),
  prepare({ directory, port }) {
    const spool = join(directory, 'spool');
    const log = join(directory, 'log');
    mkdirSync(spool);
    mkdirSync(log);
    const file = join(directory, 'impetus.conf');
    writeFileSync(
      file,
      `Spoolbase = "${spool}"
Relay_Hosts = ( 127.0.0.0/8 )
Suspend_Delivery = true
${outside}
ESMTP_Listener {
  ${listener}
  Listen "127.0.0.1:${port}" { }
}
Control_Listener { Listen "${join(directory, 'control')}" { } }
ec_logger {
  mainlog = "${log}/mainlog.ec"
  rejectlog = "${log}/rejectlog.ec"
  paniclog = "${log}/paniclog.ec"
  acctlog = "${log}/acctlog.ec"
}
bounce_logger { bouncelog = "${log}/bouncelog.ec" }
`,
    );
    return { words: [join(home, 'bin/impetus'), 'start', '-c', file] };
  },
});
