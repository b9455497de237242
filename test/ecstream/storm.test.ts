import fc from 'fast-check';
import { expect, test } from 'vitest';
import { seconds } from '../../src/base/index.ts';
import { reply } from '../../src/smtp/index.ts';
import { SimDisk, SimWeb, simWorld } from '../../src/world/sim/index.ts';
import { OPEN } from '../dialogues/mail-in.ts';
import { MailRoom } from '../support/mail-room.ts';
import { StreamHouse } from './house.ts';

/** What may happen to a pair of servers. */
const trouble = fc.oneof(
  fc.record({ kind: fc.constant('mail' as const), messages: fc.integer({ min: 1, max: 40 }), long: fc.boolean() }),
  fc.record({ kind: fc.constant('pass' as const), millis: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.nat(3000)) }),
  fc.record({ kind: fc.constant('reset' as const) }),
  fc.record({ kind: fc.constant('crash' as const) }),
  fc.record({ kind: fc.constant('reload' as const), size: fc.integer({ min: 1_000_000, max: 2_000_000 }) }),
  fc.record({ kind: fc.constant('pressure' as const), on: fc.boolean() }),
  fc.record({ kind: fc.constant('disk' as const), fails: fc.boolean() }),
  fc.record({ kind: fc.constant('policy' as const), slow: fc.boolean() }),
  fc.record({ kind: fc.constant('reconfigure' as const), most: fc.integer({ min: 0, max: 20 }) }),
);

test('whatever happens between two servers, each message arrives once for each recipient, and both come to rest', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(trouble, { minLength: 3, maxLength: 25 }), fc.boolean(), async (troubles, odd) => {
      const sending = { gateway: '10.0.0.1', delivery_method: 'ECSTREAM', retry_interval: seconds(60) };
      const room = new MailRoom({ global: sending });
      room.network.settings.oddChunks = odd;
      const { clock, chance, network } = room;
      const world = { ...simWorld(), clock, chance, network, disk: new SimDisk(clock, chance), web: new SimWeb() };
      const house = await StreamHouse.with(OPEN, world);
      let slow = false;
      house.policy.hook('validate_mailfrom', 'test', () =>
        slow ? { kind: 'tarpit', seconds: 2 } : { kind: 'continue' },
      );
      house.policy.hook('validate_data_spool_each_rcpt', 'test', async ({ recipient }) =>
        recipient?.startsWith('no') === true
          ? { kind: 'reject', reply: reply(550, '5.7.1', 'no') }
          : { kind: 'continue' },
      );
      // A message of which some recipients were refused is judged anew after a crash.
      const crashes = troubles.some(({ kind }) => kind === 'crash');
      // A limit that cuts a batch otherwise at the next try makes another message of it, with another key.
      const cuts = troubles.some(({ kind }) => kind === 'reconfigure');
      let received = 0;
      const expected: string[] = [];
      for (const happening of troubles) {
        switch (happening.kind) {
          case 'mail':
            for (let n = 0; n < happening.messages; n++) {
              const number = received++;
              room.spool.slow = happening.long;
              const body = happening.long ? 'x'.repeat(1000 * n) : 'hello';
              const more = cuts ? [] : [`v${number}@y.test`];
              const refused = crashes || cuts ? [] : [`no${number}@y.test`];
              const text = `S: ${number}\r\n\r\n${body}\r\n`;
              room.receive([`u${number}@y.test`, ...more, ...refused], text);
              expected.push(`u${number}@y.test`, ...more);
            }
            break;
          case 'pass':
            await room.later(happening.millis / 1000);
            break;
          case 'reset':
            for (const pipe of network.pipes) network.reset(pipe);
            break;
          case 'crash':
            await house.crash();
            await room.later(0.01);
            await house.open(house.spool.kept.map(({ envelope }) => envelope));
            break;
          case 'reload':
            house.commit({ ...OPEN, max_message_size: String(happening.size) });
            break;
          case 'pressure':
            house.pressure.full = happening.on;
            break;
          case 'disk':
            house.spool.fails = happening.fails ? 'IMP_SPOOL_WRITE' : undefined;
            break;
          case 'policy':
            slow = happening.slow;
            break;
          case 'reconfigure':
            room.reconfigure({ global: { ...sending, max_deliveries_per_connection: happening.most } });
        }
      }
      slow = false;
      house.pressure.full = false;
      house.spool.fails = undefined;
      await room.later(86_000);
      const kept = house.spool.kept.flatMap(({ envelope }) => envelope.recipients.map(({ path }) => path));
      expect(kept.toSorted()).toEqual(expected.toSorted());
      expect([room.spool.kept.size, room.spool.held, room.balance]).toEqual([0, 0, 0]);
      expect([house.reception.sessions, room.delivery.outboundConcurrency]).toEqual([0, 0]);
      expect(house.lines.filter((line) => /CRITICAL|failed/.test(line))).toEqual([]);
    }),
    { numRuns: 60 },
  );
}, 60_000);
