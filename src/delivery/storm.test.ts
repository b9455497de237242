import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MailRoom } from '../../test/support/mail-room.ts';
import type { Script } from '../../test/support/scripted-peer.ts';
import { seconds } from '../base/index.ts';

const DOMAINS = 6;
const ips = (domain: number): readonly [string, string] => [`192.0.2.${domain * 2 + 1}`, `192.0.2.${domain * 2 + 2}`];

/**
 * A season of bad weather: peers refuse, hang, hang up and say nonsense, hosts vanish, DNS fails, bodies are slow, the
 * configuration changes; then the sun comes out and everything must arrive.
 */
async function season(seed: number): Promise<void> {
  const weather = new Weather(seed);
  const limits = {
    max_outbound_connections: weather.below(4) + 1,
    server_max_outbound_connections: weather.below(8) + 2,
    max_deliveries_per_connection: weather.below(4),
    max_recipients_per_batch: weather.below(3) + 1,
    host_failure_retry: seconds(5),
    retry_interval: seconds(20),
    max_retry_interval: seconds(60),
    max_retries: 'none',
    idle_timeout: seconds(weather.below(10)),
    connect_timeout: seconds(20),
    ehlo_timeout: seconds(30),
    mailfrom_timeout: seconds(30),
    rcptto_timeout: seconds(30),
    body_timeout: seconds(40),
    rset_timeout: seconds(10),
    connect_timeout_to_delay: seconds(60),
    dns_failures_to_purge: 0,
    ...(weather.below(2) === 0 ? { scope_max_outbound_connections: weather.below(3) + 1 } : {}),
    ...(weather.below(3) === 0 ? { outbound_throttle_messages: { count: 5, seconds: 10 } } : {}),
    ...(weather.below(3) === 0 ? { outbound_throttle_connections: { count: 3, seconds: 10 } } : {}),
  };
  const room = new MailRoom({ global: limits });
  room.network.settings.latencyMillis = [1, 50];
  room.network.settings.oddChunks = weather.below(2) === 0;
  let storm = true;
  /** Bodies whose fate a peer kept to itself: these alone may arrive twice. */
  const unsure = new Set<string>();
  const script: Script = {
    get banner() {
      return storm ? weather.pick('220 x', '220 x', '220 x', '421 busy', '554 no', '', undefined) : '220 x';
    },
    get ehlo() {
      const extensions = weather.below(2) === 0 ? ['x', 'PIPELINING'] : ['x'];
      return storm && weather.below(12) === 0 ? ['x\r\n421 bye'] : extensions;
    },
    mail: () => (storm ? weather.pick('250 ok', '250 ok', '250 ok', '451 later', '421 bye', '', 'nonsense') : '250 ok'),
    rcpt: () => (storm ? weather.pick('250 ok', '250 ok', '250 ok', '250 ok', '450 later', '', undefined) : '250 ok'),
    dot: (body) => {
      if (!storm) return '250 taken';
      const said = weather.pick('250 taken', '250 taken', '250 taken', '452 full', '', undefined);
      if (said === '' || said === undefined) unsure.add(body);
      return said;
    },
    get closesAfterDot() {
      return storm && weather.below(4) === 0;
    },
  };
  const peers = [];
  for (let domain = 0; domain < DOMAINS; domain++) {
    for (const ip of ips(domain)) {
      const peer = await room.peer(`d${domain}.test`, ip);
      peer.script = script;
      peers.push(peer);
    }
    const [one, two] = ips(domain);
    room.mx(`d${domain}.test`, [
      [10, `one.d${domain}.test`, one],
      [20, `two.d${domain}.test`, two],
    ]);
  }
  let received = 0;
  let mostOpen = 0;
  for (let turn = 0; turn < 120; turn++) {
    const domain = weather.below(DOMAINS);
    const recipients = Array.from({ length: weather.below(3) + 1 }, () => `r${received++}@d${domain}.test`);
    room.receive(recipients, `mail ${turn}\r\n`);
    room.spool.slow = weather.below(2) === 0;
    const [ip] = ips(weather.below(DOMAINS));
    switch (weather.below(12)) {
      case 0:
        room.network.refuse(`${ip}:25`);
        break;
      case 1:
        room.network.silence(`${ip}:25`);
        break;
      case 2:
      case 3:
        room.network.heal(`${ip}:25`);
        break;
      case 4:
        room.reconfigure({ global: { ...limits, suspend_delivery: weather.below(3) === 0 } });
        break;
      default:
    }
    await room.later(weather.below(8));
    mostOpen = Math.max(mostOpen, room.delivery.outboundConcurrency);
    expect(room.balance).toBe(0);
  }
  expect(mostOpen).toBeLessThanOrEqual(limits.server_max_outbound_connections);
  storm = false;
  for (let domain = 0; domain < DOMAINS; domain++) for (const ip of ips(domain)) room.network.heal(`${ip}:25`);
  room.reconfigure({ global: limits });
  await room.later(3000);
  expect(room.queues.ledger).toMatchObject({ received, delivered: received, queued: 0, difference: 0 });
  expect(room.spool.held).toBe(0);
  expect(room.spool.kept.size).toBe(0);
  expect(room.delivery.outboundConcurrency).toBe(0);
  const times = new Map<string, number>();
  for (const peer of peers)
    for (const mail of peer.taken) for (const to of mail.to) times.set(to, (times.get(to) ?? 0) + 1);
  expect(times.size).toBe(received);
  const twice = [...times].filter(([, count]) => count > 1).map(([to]) => to);
  const mails = peers.flatMap((peer) => peer.taken);
  for (const to of twice) {
    const body = mails.find((mail) => mail.to.includes(to))?.body ?? '';
    expect(unsure, `${to} arrived twice`).toContain(body);
  }
  expect(room.complaints).toEqual([]);
  await room.later(4000);
  // What is left are the timers of the house itself: nothing remembers mail that has gone.
  expect(room.clock.pending).toBeLessThanOrEqual(2);
}

/** Numbers that look random and repeat with their seed. */
class Weather {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  below(most: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.#state / 2 ** 32) * most);
  }

  pick<T>(...from: readonly T[]): T {
    return from[this.below(from.length)] as T;
  }
}

test('after any storm all mail arrives, none of it twice without a reason, and nothing stays behind', async () => {
  await fc.assert(fc.asyncProperty(fc.nat(0xffffffff), season), { numRuns: 25, seed: 20_260_303, endOnFailure: true });
});
