import { expect, test } from 'vitest';
import { plain } from '../../../test/support/tls-ground.ts';
import { simWorld } from '../sim/index.ts';
import type { ConnectHost, Pipe } from '../world.ts';
import { NodeNetwork } from './network.ts';
import { nodeWorld } from './world.ts';

const WHOLE = 48 << 20;
const MOUTHFUL = 8 << 20;
const PATIENCE = 20_000;

async function turns(until: () => boolean): Promise<void> {
  while (!until()) await new Promise((go) => setImmediate(go));
}

/** Counts what comes, and ends when its peer does. */
class Scale implements ConnectHost {
  pipe: Pipe | undefined;
  state: 'trying' | 'open' | 'secured' | 'closed' = 'trying';
  bytes = 0;
  opened(): void {
    this.state = 'open';
  }
  secured(): void {
    this.state = 'secured';
  }
  data(chunk: Uint8Array): void {
    this.bytes += chunk.length;
  }
  drained(): void {}
  closed(): void {
    this.state = 'closed';
  }
}

test.each(['in clear', 'with TLS'])(
  'who has ended waits for a peer as long as it takes something of one large write, and no longer: %s',
  async (how) => {
    const { tls } = nodeWorld();
    const { clock } = simWorld();
    const network = new NodeNetwork(clock);
    let settling = 100;
    const [near, far] = [new Scale(), new Scale()];
    await using door = await network.listen(
      { kind: 'tcp', ip: '127.0.0.1', port: 0 },
      { backlog: 1, fileMode: 0 },
      (pipe) => {
        far.pipe = pipe;
        return far;
      },
    );
    const pipe = network.connect(door.at, undefined, near);
    await turns(() => near.state === 'open' && far.pipe !== undefined);
    if (how === 'with TLS') {
      far.pipe?.secure({
        as: 'server',
        context: tls.context({ ...plain, identities: [tls.selfSigned('mx.test')] }),
      });
      pipe.secure({ as: 'client', context: tls.context(plain), serverName: 'mx.test' });
      await turns(() => near.state === 'secured' && far.state === 'secured');
    }
    far.pipe?.pause();
    pipe.write([Buffer.alloc(WHOLE)]);
    pipe.end();
    for (let mouthfuls = 1; mouthfuls <= 3; mouthfuls++) {
      await clock.advance(PATIENCE);
      far.pipe?.resume();
      await turns(() => far.bytes >= mouthfuls * MOUTHFUL || far.state === 'closed');
      far.pipe?.pause();
    }
    await clock.advance(PATIENCE);
    await turns(() => (settling -= 1) < 0);
    expect(near.state).not.toBe('closed');
    // It takes nothing more. What the kernel took meanwhile may have bought it one more time.
    await clock.advance(2 * PATIENCE);
    await turns(() => near.state === 'closed');
    far.pipe?.resume();
    await turns(() => far.state === 'closed');
    expect(far.bytes).toBeGreaterThan(3 * MOUTHFUL);
    expect(far.bytes).toBeLessThan(WHOLE);
  },
);
