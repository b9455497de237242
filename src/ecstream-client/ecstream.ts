import type { Endpoint } from '../base/index.ts';
import { EcstreamSender, type SenderOptions } from '../ecstream/index.ts';
import { machineName, nodeWorld } from '../world/node/index.ts';

/** Where the server is, and how to get on with it. */
export interface EcstreamOptions extends Omit<SenderOptions, 'at'> {
  /** Name or IP address of the server; default 127.0.0.1. */
  readonly host?: string;
  /** Default 1825. */
  readonly port?: number;
  /** In place of host and port: the path of a Unix socket. */
  readonly path?: string;
}

/**
 * A client of an `ECStream_Listener`. It connects with the first message, comes again by itself when the connection is
 * lost, and keeps each message until the server has it on disk.
 *
 * ```ts
 * await using client = ecstream({ host: 'mail.example.com', tls: true, login: { user, password } });
 * const { id } = await client.send({ from: 'a@example.com', to: ['b@example.org'], body: 'Subject: hi\n\nhello\n' });
 * ```
 *
 * @throws RangeError when it could never work with these options
 */
export function ecstream({ host = '127.0.0.1', port = 1825, path, ...options }: EcstreamOptions = {}): EcstreamSender {
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new RangeError(`port must be 1 to 65535, not ${port}`);
  // Node resolves names when it connects.
  const at: Endpoint = path === undefined ? { kind: 'tcp', ip: host, port } : { kind: 'unix', path };
  return new EcstreamSender(nodeWorld(), { name: 'impetus/ecstream', hostName: machineName(), ...options, at });
}
