import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { millis } from '../base/index.ts';
import type { AccountingEvent, AttemptEvent, ReceptionEvent, RejectionEvent } from '../events/index.ts';
import type { MessageId } from '../message/index.ts';
import { reply } from '../smtp/index.ts';
import { bounceLine } from './bounce_logger/bouncelog.ts';
import { accountingLine } from './ec_logger/acctlog.ts';
import { deliveryLine, failureLine, heartbeatLine, receptionLine } from './ec_logger/mainlog.ts';
import { panicLine } from './ec_logger/paniclog.ts';
import { rejectHeartbeatLine, rejectionLine } from './ec_logger/rejectlog.ts';
import { lineOf, stamps } from './log-text.ts';

interface RecordFormat {
  readonly example?: string;
  readonly fields?: readonly { readonly offset: number; readonly name: string }[];
}

const formats = JSON.parse(readFileSync(new URL('../../test/reference/log-formats.json', import.meta.url), 'utf8')) as {
  readonly logs: Record<string, { readonly type_offset?: number; readonly records: Record<string, RecordFormat> }>;
};
const record = (log: string, type: string): RecordFormat => formats.logs[log]?.records[type] ?? {};
const example = (log: string, type: string): string => record(log, type).example ?? 'no example';

const id = (text: string) => text as MessageId;
const stamp = stamps(false);
const at = (second: number) => ({ at: millis(second * 1000), generation: 1 });

const ofMessage = {
  messageId: id('C2/10-00812-001F3556'),
  batchId: id('D2/10-00812-001F3556'),
  bindingGroup: 'pool-a',
  binding: 'ip-3',
  sender: 'news@sender.test',
  recipient: 'ann@dest.test',
  size: 4096,
};

const reception: ReceptionEvent = {
  ...at(1_700_000_000),
  ...ofMessage,
  kind: 'reception',
  connectionId: id('E2/10-00812-001F3556'),
  peer: '192.0.2.7',
  protocol: 'esmtp',
};

const transient: AttemptEvent = {
  ...at(1_700_000_002),
  ...ofMessage,
  kind: 'transient',
  connectionId: id('13/10-00812-001F3556'),
  routingDomain: 'dest.test',
  stage: 5,
  bytes: 0,
  retries: 0,
  queuedSeconds: 1.87,
  address: '198.51.100.25',
  host: 'mx.dest.test',
  reply: reply(450, '4.2.0', 'try again later'),
  bounceClass: 20,
};

const delivery: AttemptEvent = {
  ...transient,
  ...at(1_700_001_204),
  kind: 'delivery',
  connectionId: id('50/20-00812-4B1F3556'),
  bytes: 4188,
  retries: 1,
  queuedSeconds: 1204.11,
  address: '198.51.100.26',
};

const expired: AttemptEvent = {
  ...transient,
  ...at(1_700_086_401),
  kind: 'permanent',
  connectionId: id('00/00-00000-00000000'),
  stage: 22,
  retries: 6,
  queuedSeconds: 86401,
  address: '',
  reply: reply(554, '5.4.7', '[internal] exceeded max time without delivery'),
};

const bounced: AttemptEvent = {
  ...transient,
  ...at(1_700_000_090),
  kind: 'permanent',
  recipient: 'bob@dest.test',
  reply: reply(550, '5.1.1', 'no such user'),
  bounceClass: 10,
};

const rejection: RejectionEvent = {
  ...at(1_700_000_003),
  kind: 'rejection',
  remote: '203.0.113.4:40112',
  local: '192.0.2.1:25',
  connectionId: id('13/10-00812-001F3556'),
  pathway: 'in',
  pathwayGroup: '',
  phase: 'awaiting rcptto',
  reply: reply(550, '5.7.1', 'relaying denied'),
  module: 'core',
  connectionContext: { can_relay: 'false', ehlo_string: 'h.test' },
  messageContext: { mailfrom_domain: '' },
};

const command: AccountingEvent = {
  ...at(1_700_000_001),
  kind: 'accounting',
  type: 'Z',
  listener: '*:2025',
  peer: '192.0.2.9:51000',
  user: 'ops',
  result: 1,
  command: 'summary',
  role: 'operators',
};

const samples: readonly (readonly [string, string, string])[] = [
  ['mainlog', 'R', lineOf(receptionLine, reception, stamp(reception.at), 'control')],
  ['mainlog', 'D', lineOf(deliveryLine, delivery, stamp(delivery.at), 'control')],
  ['mainlog', 'T', lineOf(failureLine, transient, stamp(transient.at), 'control')],
  ['mainlog', 'P', lineOf(failureLine, expired, stamp(expired.at), 'control')],
  ['mainlog', 'M', heartbeatLine('1700000060')],
  ['bouncelog', 'B', lineOf(bounceLine, bounced, stamp(bounced.at), 'control')],
  ['bouncelog', 'T', lineOf(bounceLine, transient, stamp(transient.at), 'control')],
  ['rejectlog', 'rejection', rejectionLine(rejection, stamp(rejection.at), new Set())],
  ['rejectlog', 'heartbeat', rejectHeartbeatLine('1700000060')],
  [
    'paniclog',
    'message',
    panicLine(
      {
        ...at(1_700_000_005),
        kind: 'diagnostic',
        level: 'ERROR',
        module: 'scriptlet',
        text: 'rule file has no entry for dest.test',
      },
      '1700000005',
    ),
  ],
  [
    'acctlog',
    'N',
    accountingLine(
      { ...at(0), kind: 'accounting', type: 'N', listener: '/run/impetus/ctl', peer: '', user: 'ops', result: 1 },
      '1700000000',
    ),
  ],
  [
    'acctlog',
    'T',
    accountingLine(
      { ...at(0), kind: 'accounting', type: 'T', listener: '*:587', peer: '203.0.113.4:40112', user: '', result: 0 },
      '1700000000',
    ),
  ],
  ['acctlog', 'Z', accountingLine(command, stamp(command.at))],
];

test.each(samples)('%s %s is written as in the reference', (log, type, line) => {
  expect(line).toBe(example(log, type));
});

test.each(samples.filter(([log, type]) => record(log, type).fields !== undefined && log !== 'paniclog'))(
  '%s %s has as many fields as the reference says, its type at the documented offset, with full escaping too',
  (log, type, line) => {
    const { fields = [] } = record(log, type);
    const typeOffset = formats.logs[log]?.type_offset ?? 0;
    const split = line.split('@');
    expect(split).toHaveLength(fields.length);
    expect(split[typeOffset]).toMatch(type === 'M' ? /^M1?$/ : new RegExp(`^${type}$`));
    expect(fields[typeOffset]?.name).toBe('type');
  },
);

test('the null sender gives two empty fields, and a reception over no IP connection the peer unknown', () => {
  const line = lineOf(receptionLine, { ...reception, sender: '', peer: '', protocol: 'internal' }, '1', 'control');
  expect(line.split('@').slice(5, 12)).toEqual(['ann', 'dest.test', '', '', 'unknown', '4096', 'internal']);
});

test('a reply cannot forge a line', () => {
  const forged = { ...transient, reply: reply(450, undefined, 'later\r\n1700000000@x@y@z@D@forged\u0007') };
  const line = lineOf(failureLine, forged, '1700000002', 'control');
  expect(line.endsWith('@450 later\\r\\n1700000000@x@y@z@D@forged\\x07')).toBe(true);
});

test('an @ in a quoted local part is escaped only on request', () => {
  const quoted = { ...reception, recipient: '"a@b"@dest.test' };
  expect(lineOf(receptionLine, quoted, '1', 'control')).toContain('@R@"a@b"@dest.test@');
  expect(lineOf(receptionLine, quoted, '1', 'full')).toContain('@R@"a\\@b"@dest.test@');
});

test('with full escaping the reply at the end keeps its @', () => {
  const line = lineOf(failureLine, { ...transient, reply: reply(450, undefined, 'ask a@b \\ c') }, '1', 'full');
  expect(line.endsWith('@450 ask a@b \\\\ c')).toBe(true);
});

test('context values of the rejectlog are quoted when they must be, and secrets are stars', () => {
  const line = rejectionLine(
    {
      ...rejection,
      connectionContext: { plain: 'x', blank: 'a b', odd: 'a"],[\\=', Auth_Password: 'hunter2', line: 'a\nb' },
      messageContext: {},
    },
    '1',
    new Set(['auth_password']),
  );
  expect(line).toContain(
    'CTXCONN=[plain=x,blank="a b",odd="a\\"],[\\\\=",Auth_Password=***,line=a\\nb] CTXMESS=[] 5.7.1',
  );
});

test('a rejection without an enhanced code has its text alone, and quotes in names cannot end them', () => {
  const line = rejectionLine(
    { ...rejection, pathway: 'a" M=x', reply: reply(421, undefined, 'closing') },
    '1',
    new Set(),
  );
  expect(line).toContain('PATH="a\\" M=x" ');
  expect(line.endsWith('] closing')).toBe(true);
});

test('a refused command has no role, and what was typed cannot add a field', () => {
  const { role, ...refused } = command;
  expect(role).toBe('operators');
  expect(accountingLine({ ...refused, result: 0, command: 'fail domain a@b\\\n' }, '1')).toBe(
    '1@Z@*:2025@192.0.2.9:51000@ops@0@fail domain a\\@b\\\\\\n',
  );
});

test('a diagnostic is one line, without a module only its text', () => {
  const event = { ...at(1), kind: 'diagnostic', level: 'ERROR', text: 'a\nb' } as const;
  expect(panicLine({ ...event, module: '' }, '1')).toBe('1:a\\nb');
});
