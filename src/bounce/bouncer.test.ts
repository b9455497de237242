import { describe, expect, test } from 'vitest';
import { bindingName, joined, millis, type Segments } from '../base/index.ts';
import type { Generation, Option, View } from '../config/index.ts';
import { events, type MailEvent } from '../events/index.ts';
import {
  type BodyHold,
  type BodyTraits,
  type Envelope,
  idAllocator,
  type Message,
  nullId,
  type SpoolAddress,
} from '../message/index.ts';
import type { Failure, Notice } from '../queue/index.ts';
import { reply } from '../smtp/index.ts';
import { type Draft, type Spool, SpoolError, type Told } from '../spool/index.ts';
import { SimChance, SimClock } from '../world/sim/index.ts';
import { bouncer } from './bouncer.ts';

const epoch = 1_700_000_000_000;
const address = (value: number) => value as SpoolAddress;

type Replaced = {
  readonly at: number;
  readonly recipients: readonly number[];
  readonly envelope: Envelope;
  readonly traits: BodyTraits;
  readonly text: string;
};

/** As much of a spool as a bouncer sees; bodies come in small slices, now and then late. */
function spoolOf(bodies: Map<number, string>) {
  const done: { readonly at: number; readonly recipients: readonly number[] }[] = [];
  const replaced: Replaced[] = [];
  const state = { refuses: undefined as SpoolError | undefined, held: 0 };
  const spool: Pick<Spool, 'draft' | 'hold' | 'done' | 'replace'> = {
    draft: () =>
      draft((text, envelope, traits, told) =>
        queueMicrotask(() => {
          if (state.refuses !== undefined) return told.refused(state.refuses);
          replaced.push({ at: 0, recipients: [], envelope, traits, text });
          told.kept(address(1000 + replaced.length));
        }),
      ),
    hold(at) {
      const body = bodies.get(at);
      if (body === undefined) throw new SpoolError('IMP_SPOOL_READ', 'the body is gone');
      state.held += 1;
      return slices(body, () => (state.held -= 1));
    },
    done: (at, recipients) => done.push({ at, recipients }),
    replace(at, recipients, made, envelope, traits, told) {
      const text = (made as TestDraft).text();
      queueMicrotask(() => {
        if (state.refuses !== undefined) return told.refused(state.refuses);
        replaced.push({ at, recipients, envelope, traits, text });
        told.kept(address(1000 + replaced.length));
      });
    },
  };
  return { spool: spool as Spool, done, replaced, state };
}

type TestDraft = Draft & { text(): string };

function draft(commit: (text: string, envelope: Envelope, traits: BodyTraits, told: Told) => void): TestDraft {
  const pieces: Uint8Array[] = [];
  const text = () => joined(pieces).toString('latin1');
  return {
    append: (bytes: Segments) => pieces.push(...bytes) > 0,
    text,
    commit: (envelope: Envelope, traits: BodyTraits, told: Told) => commit(text(), envelope, traits, told),
  } as unknown as TestDraft;
}

function slices(body: string, released: () => void): BodyHold {
  const bytes = Buffer.from(body, 'latin1');
  let at = 0;
  return {
    length: bytes.length,
    traits: { dots: false, lone: false },
    next() {
      if (at >= bytes.length) return undefined;
      const slice = [bytes.subarray(at, at + 7)];
      at += 7;
      return at % 2 === 0 ? slice : Promise.resolve(slice);
    },
    rewind() {
      at = 0;
    },
    [Symbol.dispose]: released,
  };
}

function house(
  values: Readonly<Record<string, unknown>> = {},
  body = 'Subject: hello\r\nMessage-ID: <1@sender.test>\r\n\r\nbody\r\n',
) {
  const clock = new SimClock(epoch);
  const view: View = {
    generation: 1,
    get: <T>(option: Option<T>) => (option.name in values ? (values[option.name] as T) : option.initial),
    owner: () => ({ key: 'default', place: undefined }),
    sameIn: () => true,
  };
  const generation = { number: 1, global: view, sending: () => view, groupOf: () => 'group' } as unknown as Generation;
  const told = events(clock, () => 1);
  const heard: MailEvent[] = [];
  told.subscribe(['reception', 'diagnostic'], (event) => heard.push(event));
  const stored = spoolOf(new Map([[1, body]]));
  const enqueued: Message[] = [];
  const steps: string[] = [];
  const made = bouncer({
    clock,
    chance: new SimChance(1),
    ids: idAllocator({ instance: 1 }),
    spool: stored.spool,
    events: told,
    current: () => generation,
    hostname: () => 'mx.test',
    enqueue: (message) => {
      steps.push('enqueued');
      enqueued.push(message);
    },
  });
  const bury = async (message: Message, failures: readonly Failure[]) => {
    made.bury(message, failures, { buried: () => steps.push('buried'), kept: () => steps.push('kept') });
    await clock.settle();
  };
  return { clock, heard, ...stored, enqueued, steps, bouncer: made, bury };
}

function message(changes: Partial<Envelope> = {}, at = 1): Message {
  const envelope: Envelope = {
    batchId: nullId,
    connectionId: nullId,
    receivedAt: millis(epoch - 5000),
    reversePath: 'news@sender.test',
    recipients: [
      { id: nullId, path: 'ann@dest.test', binding: bindingName('r1') },
      { id: nullId, path: 'bob@dest.test', binding: bindingName('r1') },
    ],
    protocol: 'esmtp',
    peer: '192.0.2.7',
    size: 100,
    context: { connection: {}, message: {} },
    ...changes,
  };
  return { at: address(at), envelope, traits: { dots: false, lone: false } };
}

const no = reply(550, '5.1.1', 'no such user');
const failure = (recipient = 0, changes: Partial<Failure> = {}): Failure => ({
  recipient,
  reply: no,
  rawReply: no,
  attempt: { stage: 5, connectionId: nullId, address: '198.51.100.25', host: 'mx.dest.test', bytes: 0 },
  quiet: false,
  ...changes,
});

test('a failed recipient is replaced by its DSN in one batch, and the DSN is queued', async () => {
  const { replaced, done, enqueued, steps, heard, state, bury } = house();
  await bury(message(), [failure()]);
  expect(done).toEqual([]);
  expect(replaced).toHaveLength(1);
  const [{ at, recipients, envelope, text }] = replaced as [Replaced];
  expect([at, recipients]).toEqual([1, [0]]);
  expect(envelope).toMatchObject({ reversePath: '', protocol: 'internal', peer: '', size: text.length });
  expect(envelope.recipients).toMatchObject([{ path: 'news@sender.test', binding: 'default' }]);
  expect(text).toContain('From: Mail Delivery System <mailer-daemon@mx.test>\r\n');
  expect(text).toContain('Final-Recipient: rfc822; ann@dest.test\r\n');
  expect(text).toContain('Content-Type: text/rfc822-headers\r\n\r\nSubject: hello\r\nMessage-ID: <1@sender.test>\r\n');
  expect(text).not.toContain('body');
  expect(enqueued).toMatchObject([{ at: 1001, envelope }]);
  expect(heard).toMatchObject([
    {
      kind: 'reception',
      protocol: 'internal',
      sender: '',
      recipient: 'news@sender.test',
      size: text.length,
      bindingGroup: 'group',
      binding: 'default',
    },
  ]);
  expect(steps).toEqual(['buried', 'enqueued']);
  expect(state.held).toBe(0);
});

test('the Message-ID of the DSN is made of its own message id', async () => {
  const { replaced, bury } = house();
  await bury(message(), [failure()]);
  const id = replaced[0]?.envelope.recipients[0]?.id.replace(/[/-]/g, '.');
  expect(replaced[0]?.text).toContain(`Message-ID: <${id}@mx.test>\r\n`);
});

test('recipients that fail together share one DSN; a quiet one ends with them and is not reported', async () => {
  const { replaced, bury } = house();
  await bury(message(), [failure(0, { quiet: true }), failure(1)]);
  expect(replaced[0]?.recipients).toEqual([0, 1]);
  expect(replaced[0]?.text).not.toContain('ann@dest.test');
  expect(replaced[0]?.text).toContain('Final-Recipient: rfc822; bob@dest.test');
});

test.each([
  ['the sender is null', {}, { reversePath: '' }, {}],
  ['generate_bounces is false', { generate_bounces: false }, {}, {}],
  ['an operator wants it quiet', {}, {}, { quiet: true }],
])('when %s, the recipient ends without a DSN', async (_, values, envelope, changes) => {
  const { done, replaced, steps, bury } = house(values);
  await bury(message(envelope), [failure(0, changes)]);
  expect(done).toEqual([{ at: 1, recipients: [0] }]);
  expect(replaced).toEqual([]);
  expect(steps).toEqual(['buried']);
});

test('mail with a null sender that fails is reported to mdn_failures_notify, and a failure of that report to nobody', async () => {
  const { done, replaced, enqueued, bury } = house({ mdn_failures_notify: 'postmaster@sender.test' });
  await bury(message({ reversePath: '', protocol: 'internal' }), [failure()]);
  expect(replaced[0]?.envelope.recipients[0]?.path).toBe('postmaster@sender.test');
  const [notice] = enqueued;
  if (notice !== undefined) await bury(notice, [failure()]);
  expect(replaced).toHaveLength(1);
  expect(done).toEqual([{ at: 1001, recipients: [0] }]);
});

test('mailerdaemon and bounces_inline_original are those of the failed recipient', async () => {
  const { replaced, bury } = house(
    { mailerdaemon: 'daemon@brand.test', bounces_inline_original: 'all' },
    'Subject: hello\r\n\r\n.body\r\n',
  );
  await bury(message(), [failure()]);
  expect(replaced[0]?.text).toContain('From: Mail Delivery System <daemon@brand.test>\r\n');
  expect(replaced[0]?.text).toContain('Content-Type: message/rfc822\r\n\r\nSubject: hello\r\n\r\n.body\r\n');
  expect(replaced[0]?.traits).toEqual({ dots: true, lone: false });
});

test('a message too large to be quoted whole is quoted by its header', async () => {
  const { replaced, bury } = house(
    { bounces_inline_original: 'all' },
    `Subject: hello\r\n\r\n${'x'.repeat(300_000)}\r\n`,
  );
  await bury(message(), [failure()]);
  expect(replaced[0]?.text).toContain('Content-Type: text/rfc822-headers\r\n\r\nSubject: hello\r\n\r\n--=_');
});

test('a header without an end is cut between two lines', async () => {
  const { replaced, bury } = house({}, 'X-Line: 0123456789\r\n'.repeat(5000));
  await bury(message(), [failure()]);
  const text = replaced[0]?.text ?? '';
  expect(text.length).toBeLessThan(70_000);
  expect(text).toMatch(/X-Line: 0123456789\r\n\r\n--=_[0-9a-f_]+--\r\n$/);
});

test('when the DSN cannot be stored, the recipient stays, the queue is told, and the trouble is said once', async () => {
  const { bouncer: made, state, replaced, done, enqueued, steps, heard, bury } = house();
  state.refuses = new SpoolError('IMP_SPOOL_FULL', 'no room');
  await bury(message(), [failure()]);
  await bury(message(), [failure()]);
  expect([replaced, done, enqueued]).toEqual([[], [], []]);
  expect(steps).toEqual(['kept', 'kept']);
  expect(heard.filter((event) => event.kind === 'diagnostic')).toHaveLength(1);
  state.refuses = undefined;
  await bury(message(), [failure()]);
  expect(steps.slice(2)).toEqual(['buried', 'enqueued']);
  expect(made.pending).toBe(0);
});

test('a body that is gone does not keep the report from being sent', async () => {
  const { replaced, heard, bury } = house();
  await bury(message({}, 99), [failure()]);
  expect(replaced[0]?.text).toContain('Final-Recipient: rfc822; ann@dest.test');
  expect(replaced[0]?.text).not.toContain('rfc822-headers');
  expect(heard[0]).toMatchObject({ kind: 'diagnostic', level: 'ERROR', module: 'bounce' });
});

test('no more than soft_bounce_drain_rate reports begin in one turn, and all are made', async () => {
  const { clock, replaced, steps, bouncer: made } = house({ soft_bounce_drain_rate: 3 });
  for (let count = 0; count < 20; count++) {
    made.bury(message(), [failure()], { buried: () => steps.push('buried'), kept: () => steps.push('kept') });
  }
  let ended = false;
  const settled = made.settled().then(() => (ended = true));
  expect(made.pending).toBe(20);
  await clock.settle();
  expect(replaced).toHaveLength(3);
  expect(ended).toBe(false);
  await clock.advance(1);
  await settled;
  expect(replaced).toHaveLength(20);
  expect(steps.filter((step) => step === 'buried')).toHaveLength(20);
  expect(made.pending).toBe(0);
});

describe('what the sender asked for (RFC 3461)', () => {
  const recipients = message().envelope.recipients;
  const asked = (requests: Envelope['recipients'][number]['requests'], more: Partial<Envelope> = {}) =>
    message({
      recipients: recipients.map((each) => ({ ...each, ...(requests === undefined ? {} : { requests }) })),
      ...more,
    });

  test.each([
    ['NEVER', [], 0],
    ['SUCCESS', ['SUCCESS'], 0],
    ['DELAY', ['DELAY'], 0],
    ['FAILURE', ['FAILURE'], 1],
    ['nothing', undefined, 1],
  ] as const)('a failure with NOTIFY of %s', async (_, notify, reports) => {
    const { replaced, done, bury } = house();
    await bury(asked(notify === undefined ? undefined : { notify }), [failure()]);
    expect(replaced).toHaveLength(reports);
    expect(done).toHaveLength(1 - reports);
  });

  test('ENVID and ORCPT come back decoded, and can end no line', async () => {
    const { replaced, bury } = house();
    await bury(asked({ orcpt: 'rfc822;old+2Bann@dest.test' }, { requests: { envid: 'e+2B1+0D+0AX-Evil:+20y' } }), [
      failure(),
    ]);
    expect(replaced[0]?.text).toContain('\r\nOriginal-Envelope-Id: e+1??X-Evil: y\r\n');
    expect(replaced[0]?.text).toContain(
      '\r\nOriginal-Recipient: rfc822; old+ann@dest.test\r\nFinal-Recipient: rfc822; ann@dest.test\r\n',
    );
  });

  test('addresses beyond ASCII are written in 7 bits, and the report itself needs SMTPUTF8 for its own reader only', async () => {
    const { replaced, bury } = house();
    const utf8 = recipients.map((each) => ({
      ...each,
      path: 'j\xc3\xbc@dest.test',
      requests: { orcpt: 'utf-8;j\xc3\xbc@old' },
    }));
    await bury(message({ recipients: utf8, reversePath: 's\xc3\xbc@sender.test' }), [failure()]);
    expect(replaced[0]?.text).toContain(
      'Original-Recipient: utf-8; j\\x{FC}@old\r\nFinal-Recipient: utf-8; j\\x{FC}@dest.test\r\n',
    );
    expect(replaced[0]?.envelope.requests).toEqual({ utf8Header: true });
    await bury(message({ recipients: utf8 }), [failure()]);
    expect(replaced[1]?.envelope.requests).toBeUndefined();
  });

  test.each([
    ['FULL', 'none', 'Content-Type: message/rfc822'],
    ['HDRS', 'all', 'Content-Type: text/rfc822-headers'],
  ] as const)('RET=%s wins over bounces_inline_original = %s', async (ret, bounces_inline_original, expected) => {
    const { replaced, bury } = house({ bounces_inline_original });
    await bury(message({ requests: { ret } }), [failure()]);
    expect(replaced[0]?.text).toContain(expected);
  });

  const notice = (recipient: number, action: Notice['action'], changes: Partial<Notice> = {}): Notice => ({
    recipient,
    action,
    outcome: {
      kind: action === 'delayed' ? 'deferred' : 'delivered',
      reply: action === 'delayed' ? reply(450, '4.2.0', 'later') : reply(250, '2.0.0', 'taken'),
      attempt: { stage: 9, connectionId: nullId, address: '198.51.100.25', host: 'mx.dest.test', bytes: 10 },
    },
    ...changes,
  });

  test('what was relayed is finished together with its notice, which has the header at most', async () => {
    const { replaced, done, enqueued, clock, bouncer: made } = house({ bounces_inline_original: 'all' });
    made.tell(asked({ notify: ['SUCCESS'] }, { requests: { ret: 'FULL' } }), [
      notice(0, 'relayed'),
      notice(1, 'relayed'),
    ]);
    await clock.settle();
    expect(done).toEqual([]);
    expect(replaced).toMatchObject([
      { at: 1, recipients: [0, 1], envelope: { reversePath: '', protocol: 'internal' } },
    ]);
    const text = replaced[0]?.text ?? '';
    expect(text).toContain('\r\nSubject: Delivery report: handed on\r\n');
    expect(
      text.match(/\r\nAction: relayed\r\nStatus: 2\.0\.0\r\nRemote-MTA: dns; mx\.dest\.test\r\nLast-Attempt-Date: /g),
    ).toHaveLength(2);
    expect(text).toContain('text/rfc822-headers');
    expect(text).not.toContain('Diagnostic-Code');
    expect(enqueued).toHaveLength(1);
  });

  test('what was delivered is finished although its notice cannot be stored, or is not wanted', async () => {
    for (const values of [{}, { generate_bounces: false }]) {
      const { state, done, replaced, clock, bouncer: made } = house(values);
      state.refuses = new SpoolError('IMP_SPOOL_FULL', 'no room');
      made.tell(message(), [notice(1, 'delivered')]);
      await clock.settle();
      expect([done, replaced]).toEqual([[{ at: 1, recipients: [1] }], []]);
    }
  });

  test('a delay is told with the time until which it is tried, and nothing is finished by it', async () => {
    const { done, replaced, clock, bouncer: made } = house();
    made.tell(message(), [notice(0, 'delayed', { until: millis(epoch + 3_600_000) })]);
    await clock.settle();
    expect(done).toEqual([]);
    expect(replaced).toMatchObject([{ recipients: [] }]);
    const text = replaced[0]?.text ?? '';
    expect(text).toContain('Action: delayed\r\nStatus: 4.2.0\r\n');
    expect(text).toContain('Will-Retry-Until: Tue, 14 Nov 2023 23:13:20 +0000\r\n');
    expect(text).toContain('It will be tried until Tue, 14 Nov 2023 23:13:20 +0000.\r\n');
    expect(text).toContain('Diagnostic-Code: smtp; 450 4.2.0 later\r\n');
  });
});
