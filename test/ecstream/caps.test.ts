import { expect, test } from 'vitest';
import { byeFrame } from '../../src/ecstream/index.ts';
import { ListeningHouse } from '../support/listening.ts';

test('over a session cap a client is told so in its own protocol, and the rejectlog hears of it', async () => {
  const house = await ListeningHouse.with(
    'ECStream_Listener { Listen "127.0.0.1:1825" { Listener_Sessions = 1 } }\nControl_Listener { Enable = false }',
    {
      handlers: {
        ecstream_listener: (_pipe, origin) => ({
          data: () => undefined,
          drained: () => undefined,
          closed: origin.ended,
        }),
      },
    },
  );
  const first = await house.connect('127.0.0.1:1825');
  const second = await house.connect('127.0.0.1:1825');
  const bye = byeFrame(0, 421, '4.4.5 Service unavailable, concurrency limit reached.');
  expect([first.heard, second.heard]).toEqual(['', bye.toString('latin1')]);
  expect(second.state).toBe('closed');
  expect(house.recorded).toMatchObject([{ kind: 'rejection', phase: 'concurrency limit', reply: { code: 421 } }]);
});
