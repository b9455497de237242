import { millis } from '../base/index.ts';
import { reply } from '../smtp/index.ts';
import { EcstreamClient } from './client.ts';
import { NO_VALUES } from './envelope.ts';
import { capabilities } from './frames.ts';
import { EcstreamServer } from './server.ts';
import type { EcstreamServerSettings } from './server-events.ts';

/** What a fuzzer feeds. `run` must not throw, hang, or keep more than it was given. */
export interface FuzzTarget {
  readonly name: string;
  /** @param chunks bytes as they come from a peer @returns bytes that are held when it is over */
  run(chunks: readonly Uint8Array[]): number;
}

export const FUZZ_SETTINGS: EcstreamServerSettings = {
  hostName: 'm.test',
  maxRecipients: 1000,
  maxFrame: 1_048_576,
  maxMessage: 0,
  windowMessages: 256,
  windowBytes: 16_777_216,
  idle: 300_000,
  auth: false,
  capabilities: 15,
};

/** Both machines, for a fuzzer's table of targets. */
export const ecstreamTargets: readonly FuzzTarget[] = [
  {
    name: 'ecstream server',
    run(chunks) {
      const now = millis(0);
      const server = new EcstreamServer(FUZZ_SETTINGS, now);
      for (const chunk of chunks) {
        server.receive(chunk);
        for (let event = server.next(now); event !== undefined; event = server.next(now)) {
          if (event.kind === 'hello') server.welcome();
          if (event.kind === 'auth') server.notAuthenticated(reply(535, '5.7.8', 'no'));
          if ((event.kind === 'message' || event.kind === 'body') && event.end) {
            if (event.seq % 3 === 0) server.refuse(event.seq, reply(550, '5.7.1', 'no'));
            else server.accept(event.seq, `id${event.seq}`);
          }
        }
        server.acknowledge();
        server.take();
      }
      return server.buffered;
    },
  },
  {
    name: 'ecstream client',
    run(chunks) {
      const client = new EcstreamClient(
        { name: 'c', hostName: 'c.test', capabilities: capabilities.ids, encoding: 'utf8', greeting: 1000 },
        millis(0),
      );
      for (const chunk of chunks) {
        client.receive(chunk);
        for (let event = client.next(); event !== undefined; event = client.next()) {
          if (event.kind !== 'ready' || !client.mayBegin(10)) continue;
          const recipients = [{ address: 'b@y.test', context: NO_VALUES }];
          client.begin({ flags: 0, sender: '', context: NO_VALUES, recipients }, [Buffer.from('\r\n')], true);
        }
        client.take();
      }
      return client.unresolved;
    },
  },
];
