import { expect, test } from 'vitest';
import { FakeHouse } from '../../../test/support/console/fake-house.ts';
import { run } from '../../../test/support/console/run.ts';
import { type Domain, millis, seconds } from '../../base/index.ts';
import { reply } from '../../smtp/index.ts';

test('summary prints every figure in the order of the manual', async () => {
  const house = new FakeHouse();
  await house.clock.advance(89_083_000);
  house.mail.pair('default', 'a.example').add('A', 'active').add('B', 'delayed').add('C', 'in flight');
  house.outbound = [house.connection(1, 'default', 'a.example')];
  house.dnsCounts = {
    ...house.dnsCounts,
    queries: { A: 565_284, AAAA: 0, MX: 243_281, TXT: 7, CNAME: 0, PTR: 0 },
    pending: 3,
    peakMillis: 1203.4,
    averageMillis: 12.2,
  };
  house.transmissions = { waiting: 4, generating: 2 };
  expect((await run(house, 'summary')).text).toBe(
    [
      'Summary Statistics',
      '\tOutbound Concurrency:       1',
      '\tInbound Concurrency:       0',
      '\tActive Domains:       0',
      '\tActive Queue Size:      1',
      '\tDelayed Queue Size:      1',
      '\tTotal Queue Size:      3',
      '\tTransmissions Waiting:      4',
      '\tTransmissions Generating:      2',
      '\tDNS Resolver:   node',
      '\tDNS A Queries: 565284',
      '\tDNS A Timeouts:      0',
      '\tDNS AAAA Queries:      0',
      '\tDNS AAAA Timeouts:      0',
      '\tDNS MX Queries: 243281',
      '\tDNS MX Timeouts:      0',
      '\tDNS TXT Queries:      7',
      '\tDNS TXT Timeouts:      0',
      '\tPending DNS Queries:      3',
      '\tQuery Rate:   9.08 queries/second',
      '\tDNS Response Time Peak:   1203 ms',
      '\tDNS Response Time Average:     12 ms',
      '\tDNS Rate Limiter: disabled',
      '\tSuccessfully Delivered Messages:      0',
      '\tFailed Messages:      0',
      '\tRejected Messages:      0',
      '\tReceived Messages:      0',
      '\tDelivery Rate:   0.00 messages/second',
      '\tReception Rate:   0.00 messages/second',
      '\tStatistics Last Reset:  89083 seconds',
      '\tUptime:  89083 seconds',
      '',
    ].join('\n'),
  );
});

test('summary reset clears counters and the time of the reset, and leaves the uptime', async () => {
  const house = new FakeHouse();
  house.dnsCounts = { ...house.dnsCounts, queries: { A: 5, AAAA: 0, MX: 0, TXT: 0, CNAME: 0, PTR: 0 } };
  await house.clock.advance(10_000);
  expect((await run(house, 'summary reset')).text).toBe('statistics cleared.\n');
  await house.clock.advance(5000);
  expect(JSON.parse((await run(house, 'json summary')).text)).toMatchObject({
    StatisticsLastReset: 5,
    Uptime: 15,
    DNSAQueries: 0,
    ResidentMessages: 4,
    RejectionPercentage: 0,
    DNSResolver: 'node',
  });
});

test('summary with-mobile is told by its name, not counted as a mistake', async () => {
  expect(await run(new FakeHouse(), 'summary with-mobile')).toEqual({
    result: 'failed',
    text: 'summary with-mobile: not implemented yet\n',
  });
  expect((await run(new FakeHouse(), 'summary now')).text).toBe('summary command not understood\nusage: summary\n');
});

test('binding summary prints every binding, one by name or slot, or a group with its sum', async () => {
  const house = new FakeHouse();
  house.mail.pair('r1', 'a.example', 'retail').add('A', 'active').add('B', 'delayed');
  house.outbound = [house.connection(1, 'r2', 'a.example'), house.connection(2, 'r2', 'a.example')];
  const block = (name: string, open: number, active: number, total: number) =>
    `Summary Statistics For Binding ${name}\n\tOpen Connections:       ${open}\n\tActive Queue Size:      ${active}\n\tTotal Queue Size:      ${total}\n` +
    '\tSuccessfully Delivered Messages:      0\n\tFailed Messages:      0\n\tReceived Messages:      0\n\tResident Messages:      -\n' +
    '\tDelivery Rate:   0.00 messages/second\n\tReception Rate:   0.00 messages/second\n\tUptime:      0 seconds\n';
  expect((await run(house, 'binding summary')).text).toBe(
    block('default', 0, 0, 0) + block('r1', 0, 1, 2) + block('r2', 2, 0, 0),
  );
  expect((await run(house, 'binding summary r1')).text).toBe(block('r1', 0, 1, 2));
  expect((await run(house, 'binding summary 2')).text).toBe(block('r2', 2, 0, 0));
  expect((await run(house, 'binding summary group:retail')).text).toBe(
    `${block('r1 in Binding Group retail', 0, 1, 2)}${block('r2 in Binding Group retail', 2, 0, 0)}\n${'*'.repeat(44)}\n${block('Group retail', 2, 1, 2)}`,
  );
  expect(await run(house, 'binding summary r9')).toEqual({ result: 'failed', text: 'Binding r9 not found.\n' });
});

test('domain shows stanza, route, counters and connections', async () => {
  const house = new FakeHouse();
  house.stanza = 'Domain a.example {\n  max_outbound_connections = 20\n}';
  const pair = house.mail.pair('r1', 'a.example', 'retail').add('A', 'active').add('B', 'delayed');
  Object.assign(pair.counters, { received: 21_538, delivered: 7673, failed: 3, transient: 25 });
  house.known.set('a.example', {
    ttlSeconds: 1902.7,
    consecutiveFailures: 1,
    mxs: [
      {
        preference: 5,
        host: 'mx1.a.example',
        ttlSeconds: 1902,
        alsoUsedBy: [{ domain: 'b.example', preference: 10 }],
        addresses: [
          {
            ip: '192.0.2.129',
            port: 25,
            family: 'IPv4',
            state: 'failed',
            connectMillis: 0,
            deliverMillis: 10_259.034,
            secondsSinceFailure: 54.268,
          },
          {
            ip: '2001:db8::1',
            port: 25,
            family: 'IPv6',
            state: 'next',
            connectMillis: 77.25,
            deliverMillis: 11_726.36,
            secondsSinceFailure: undefined,
          },
          {
            ip: '192.0.2.99',
            port: 25,
            family: 'IPv4',
            state: 'usable',
            connectMillis: 1,
            deliverMillis: 2,
            secondsSinceFailure: undefined,
          },
        ],
      },
    ],
  });
  await house.clock.advance(2000);
  house.outbound = [house.connection(174, 'r1', 'a.example'), house.connection(175, 'r1', 'b.example')];
  expect((await run(house, 'domain A.example')).text).toBe(
    [
      'Domain a.example {',
      '  max_outbound_connections = 20',
      '}',
      "Domain 'a.example' has 1 MXs and a TTL of 1902 seconds",
      '  [5 mx1.a.example TTL:1902]',
      ' *      [192.0.2.129]:25 IPv4 (0.00ms con 10259.03ms dlv) 54.27s since failure',
      ' =>     [2001:db8::1]:25 IPv6 (77.25ms con 11726.36ms dlv)',
      '        [192.0.2.99]:25 IPv4 (1.00ms con 2.00ms dlv)',
      '\t\t(also used by b.example pref 10)',
      'Domain has had 1 consecutive connection failures',
      '',
      'Statistics:',
      '-----------',
      '',
      'Binding:                   r1',
      '\t              Receptions:                21538',
      '\t              Deliveries:                 7673',
      '\t          Failures (5xx):                    3',
      '\t   Trans. Failures (4xx):                   25',
      '\t            Active Queue:                    1',
      '\t           Delayed Queue:                    1',
      '',
      '\t---------------------------------------',
      '',
      'Server Totals:',
      '--------------',
      '\tActive Queue:                 1',
      '\tDelayed Queue:                1',
      '\tReceptions:           21538',
      '\tDeliveries:            7673',
      '\tFailures (5xx):           3',
      '\tFailures (4xx):          25',
      'Active Connections: 1',
      '[Binding: r1]',
      '  [ 1] FD:    174  IP:      192.0.2.25  State: reading confirmation (1500.00ms)',
      '',
    ].join('\n'),
  );
});

test('domain tells apart what is not known and what has no route yet', async () => {
  const house = new FakeHouse();
  expect(await run(house, 'domain a.example')).toEqual({
    result: 'failed',
    text: "Domain 'a.example' is not known.\n",
  });
  house.mail.pair('default', 'a.example').add('A', 'active');
  expect((await run(house, 'domain a.example')).text).toMatch(/^Domain 'a\.example' is not in the routing cache\n/);
  expect((await run(house, 'domain a..b')).result).toBe('usage');
});

test('refresh domain and dig look routes up again', async () => {
  const house = new FakeHouse();
  expect((await run(house, 'refresh domain A.example')).text).toBe('a.example refreshed.\n');
  expect((await run(house, 'refresh domain all')).text).toBe('All domains refreshed.\n');
  expect((await run(house, 'dig b.example')).text).toBe('submitted\n');
  expect(house.refreshed).toEqual(['a.example', 'all', 'b.example']);
});

test('show inbound and show outbound have one line a connection', async () => {
  const house = new FakeHouse();
  await house.clock.advance(1000);
  const session = {
    service: 'SMTP',
    handler: 'esmtp',
    family: 'IPv4',
    ip: '127.0.0.1',
    port: 47_741,
    state: 'async body response',
    sinceMillis: millis(736),
    floating: true,
  } as const;
  house.inbound = [
    { ...session, number: 23 },
    { ...session, number: 24, family: 'IPv6', ip: '::1', floating: false },
    { ...session, number: 25, family: 'Unix', ip: '', state: 'awaiting mailfrom', floating: false },
  ];
  house.outbound = [
    house.connection(36, 'default', 'a.example', '192.0.2.1', 'after MAIL FROM'),
    house.connection(37, 'default', 'b.example', '2001:db8::2'),
  ];
  expect((await run(house, 'show inbound')).text).toBe(
    '23: [inbound/esmtp] IPv4 127.0.0.1:47741 async body response (for 0.264s) [floating]\n' +
      '24: [inbound/esmtp] IPv6 [::1]:47741 async body response (for 0.264s)\n' +
      '25: [inbound/esmtp] Unix awaiting mailfrom (for 0.264s)\n',
  );
  expect((await run(house, 'show outbound')).text).toBe(
    '36: [outbound/after_MAIL_FROM] a.example IPv4 192.0.2.1\n37: [outbound/reading_confirmation] b.example IPv6 2001:db8::2\n',
  );
});

test('count groups connections by blocks, and a block divides where its addresses do', async () => {
  const house = new FakeHouse();
  const to = (...ips: string[]) => {
    house.outbound = ips.map((ip, number) =>
      house.connection(number, number === 0 ? 'r1' : 'default', 'a.example', ip),
    );
  };
  to('192.0.2.1', '192.0.2.1', '192.0.77.9', '198.51.100.7', '2001:db8::1');
  expect((await run(house, 'count outbound 16-32')).text).toBe(
    [
      '      3                 192.0.0.0/16',
      '      2                   192.0.0.0/18',
      '      2                                 192.0.2.1/32',
      '      1                   192.0.64.0/18',
      '      1                                 192.0.77.9/32',
      '      1                 198.51.0.0/16',
      '      1                                 198.51.100.7/32',
      '      1                 2001::/16',
      '      1                                 2001:db8::/32',
      '',
    ].join('\n'),
  );
  expect((await run(house, 'count outbound 192.0.2.0/24')).text).toBe('2 sessions\n');
  expect((await run(house, 'count outbound/r1 32')).text).toBe(`      1 ${' '.repeat(32)}192.0.2.1/32\n`);
  house.inbound = [
    {
      number: 1,
      service: 'SMTP',
      handler: 'esmtp',
      family: 'Unix',
      ip: '',
      port: 0,
      state: 's',
      sinceMillis: millis(0),
      floating: false,
    },
  ];
  expect((await run(house, 'count SMTP 127.0.0.1')).text).toBe('1 sessions\n');
  expect((await run(house, 'count Control 8')).text).toBe('');
  for (const wrong of ['count', 'count outbound', 'count outbound 9-8', 'count outbound 1-129', 'count outbound x'])
    expect((await run(house, wrong)).result).toBe('usage');
});

test('dns_cache looks into the cache, submits, and counts', async () => {
  const house = new FakeHouse();
  expect((await run(house, 'dns_cache lookup mail.example A')).text).toBe('Cached result not found, try a submit.\n');
  expect((await run(house, 'dns_cache submit Mail.example. a')).text).toBe('Submitted\n');
  expect(house.submitted).toEqual(['mail.example A']);
  const ttl = seconds(300);
  house.answers.set('mail.example A', {
    kind: 'found',
    ttl,
    authentic: false,
    records: [{ type: 'A', address: '192.0.2.115' }],
  });
  house.answers.set('mail.example MX', {
    kind: 'found',
    ttl,
    authentic: false,
    records: [{ type: 'MX', preference: 5, host: 'mx.example' }],
  });
  house.answers.set('mail.example TXT', {
    kind: 'found',
    ttl,
    authentic: false,
    records: [{ type: 'TXT', strings: [Buffer.from('v=spf1 "x"'), Buffer.from('b')] }],
  });
  house.answers.set('mail.example PTR', { kind: 'no name', ttl });
  const asked = async (type: string) => (await run(house, `dns_cache lookup mail.example ${type}`)).text;
  expect(await asked('A')).toBe(
    ';; QUESTION SECTION:\n;mail.example            IN      A\n\n;; ANSWER SECTION:\nmail.example            299     IN      A       192.0.2.115\n',
  );
  expect(await asked('MX')).toContain('IN      MX      5 mx.example\n');
  expect(await asked('TXT')).toContain('IN      TXT     "v=spf1 \\"x\\"" "b"\n');
  expect(await asked('PTR')).toContain(';; ANSWER SECTION:\n;; no name\n');
  expect((await run(house, 'dns_cache lookup a X')).result).toBe('failed');
  expect((await run(house, 'dns_cache lookup a SOA')).result).toBe('usage');
  house.dnsCounts = {
    ...house.dnsCounts,
    queries: { A: 2, AAAA: 0, MX: 1, TXT: 1, CNAME: 0, PTR: 1 },
    responses: 5,
    lookups: 14,
    hits: 5,
  };
  expect((await run(house, 'dns_cache stats')).text).toBe(
    'DNS Queries:\n        TXT: 1\n        PTR: 1\n         MX: 1\n          A: 2\n       AAAA: 0\n  arpa IPv4: 0\n  arpa IPv6: 0\n\n' +
      'DNS responses:\n      Total: 5\n        Bad: 0\n\nDNS cache:\n    Lookups: 14\n   Hit Rate: 35.7143%\n',
  );
});

test('explain tells what queue and route say', async () => {
  const house = new FakeHouse();
  house.mail
    .pair('r1', 'a.example', 'retail')
    .add('A', 'delayed', { nextAttempt: millis(house.clock.date() + 90_000), lastReply: reply(450, '4.2.0', 'later') });
  const failed = {
    ip: '192.0.2.1',
    port: 25,
    family: 'IPv4',
    state: 'failed',
    connectMillis: 0,
    deliverMillis: 0,
    secondsSinceFailure: 3,
  } as const;
  house.known.set('a.example', {
    ttlSeconds: 1,
    consecutiveFailures: 1,
    mxs: [{ preference: 0, host: 'a.example', ttlSeconds: 1, alsoUsedBy: [], addresses: [failed] }],
  });
  expect((await run(house, 'explain r1 a.example')).text).toBe(
    'retail/r1 a.example\n\tActive Queue:      0\n\tDelayed Queue:      1\n\tBeing Delivered:      0\n\tOpen Connections:      0\n' +
      'retry time: the first delayed message is due at 2026-03-03 10:01:30, in 90 seconds\nretry time: it was last told: 450 4.2.0 later\n' +
      'no usable host: 1 addresses, all failed lately\n',
  );
  expect((await run(house, 'explain r1 b.example')).result).toBe('failed');
  house.known.delete('a.example' as Domain);
  expect((await run(house, 'explain r1 a.example')).text).toContain('DNS: there is no route in the cache\n');
});

test('explain does not call it a retry when mail waits for the time that its sender wished for', async () => {
  const house = new FakeHouse();
  const due = millis(house.clock.date() + 90_000);
  house.mail.pair('r1', 'a.example', 'retail').add('A', 'delayed', { nextAttempt: due, notBefore: due });
  expect((await run(house, 'explain r1 a.example')).text).toContain(
    '\nnot before: the first delayed message is due at 2026-03-03 10:01:30, in 90 seconds\n',
  );
});

test('explain names gate, option, stanza, place and times, of a message and of a queue', async () => {
  const house = new FakeHouse();
  house.mail.pair('r1', 'a.example', 'retail').add('10/00-00812-001F3556', 'active', {});
  const date = house.clock.date();
  house.explanation = {
    gate: 'pair cap',
    because: {
      option: 'max_outbound_connections',
      value: '4',
      owner: { key: 'domain:a.example', place: { file: '/etc/impetus/impetus.conf', line: 12, column: 3 } },
    },
    since: date,
    until: millis(date + 1500),
  };
  const words =
    'gate: pair cap\nbecause: max_outbound_connections = 4 (domain:a.example, /etc/impetus/impetus.conf:12)\n' +
    'since: 2026-03-03 10:00:00\nearliest: 2026-03-03 10:00:01, in 2 seconds\n';
  expect((await run(house, 'explain r1 a.example')).text).toContain(words);
  expect((await run(house, 'explain 10/00-00812-001F3556')).text).toBe(
    `10/00-00812-001F3556 retail/r1 a.example: active, 0 retries\n${words}`,
  );
  expect((await run(house, 'explain 20/00-00812-001F3556')).result).toBe('failed');
});
