import { join } from 'node:path';

/**
 * The configuration of a server that keeps all in one folder. Delivery is suspended, so that what was taken waits and
 * the load is that of receiving alone.
 */
export function holdingConfiguration(directory: string, port: number): string {
  const log = (name: string): string => `${name} = "${join(directory, 'log', `${name}.ec`)}"`;
  return `
Spoolbase = "${join(directory, 'spool')}"
Hostname = "impetus.test"
Relay_Hosts = ( 127.0.0.0/8 )
Suspend_Delivery = true
ESMTP_Listener { Listen "127.0.0.1:${port}" { } }
Control_Listener { Listen "${join(directory, 'control')}" { } }
ec_logger { ${['mainlog', 'rejectlog', 'paniclog', 'acctlog'].map(log).join(' ')} }
`;
}
