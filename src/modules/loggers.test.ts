import { expect, test } from 'vitest';
import { millis } from '../base/index.ts';
import type { Option, View } from '../config/index.ts';
import { type AttemptEvent, type DiagnosticEvent, events } from '../events/index.ts';
import { nullId } from '../message/index.ts';
import { reply } from '../smtp/index.ts';
import { SimChance, SimClock, SimDisk } from '../world/sim/index.ts';
import { bounceLogger } from './bounce_logger/bounce-logger.ts';
import { ecLogger } from './ec_logger/ec-logger.ts';
import { standardErrorLog } from './ec_logger/paniclog.ts';
import type { ModuleDefinition, ModuleHost } from './module.ts';

const epoch = 1_700_000_000_000;

/** A stanza with some values set, the others at their defaults. */
function stanza(values: Readonly<Record<string, unknown>> = {}): View {
  return {
    generation: 1,
    get: <T>(option: Option<T>) => (option.name in values ? (values[option.name] as T) : option.initial),
    owner: () => ({ key: 'default', place: undefined }),
    sameIn: () => true,
  };
}

function house(global: Readonly<Record<string, unknown>> = {}) {
  const clock = new SimClock(epoch);
  const disk = new SimDisk(clock, new SimChance(1));
  const told = events(clock, () => 1);
  const complaints: string[] = [];
  const commands = new Map<string, (rest: readonly string[]) => AsyncIterable<string>>();
  const host: ModuleHost = {
    instance: 'one',
    events: told,
    clock,
    disk,
    global: stanza(global),
    command(words, run) {
      commands.set(words, run);
      return {
        [Symbol.dispose]() {
          commands.delete(words);
        },
      };
    },
    hook: () => ({ [Symbol.dispose]: () => undefined }),
    complain: (text) => complaints.push(text),
  };
  const start = (module: ModuleDefinition, values: Readonly<Record<string, unknown>> = {}) =>
    module.start(host, stanza(values));
  const log = (name: string) => disk.text(`/var/log/ecelerity/${name}.ec`);
  return { clock, disk, told, complaints, commands, start, log };
}

const attempt = (kind: AttemptEvent['kind'], changes: Partial<AttemptEvent> = {}): AttemptEvent => ({
  kind,
  at: millis(epoch),
  generation: 1,
  messageId: nullId,
  batchId: nullId,
  connectionId: nullId,
  bindingGroup: 'default',
  binding: 'default',
  sender: 'a@b.test',
  recipient: 'c@d.test',
  size: 10,
  routingDomain: 'd.test',
  stage: 5,
  bytes: 0,
  retries: 0,
  queuedSeconds: 0,
  address: '192.0.2.1',
  host: 'mx.d.test',
  reply: reply(550, '5.1.1', 'no'),
  bounceClass: 10,
  ...changes,
});

async function answer(run: AsyncIterable<string> | undefined): Promise<string[]> {
  const lines: string[] = [];
  if (run !== undefined) for await (const line of run) lines.push(line);
  return lines;
}

test('a message is told in the mainlog and a diagnostic in the paniclog, both from NOTICE on', async () => {
  const { clock, told, start, log } = house();
  start(ecLogger);
  told.record(attempt('delivery'));
  told.diagnose('INFO', 'console', 'not for the paniclog');
  told.diagnose('NOTICE', 'core', 'started');
  await clock.advance(100);
  expect(log('mainlog')).toMatch(/^1700000000@.*@D@d\.test@.*\n$/);
  expect(log('paniclog')).toBe('1700000000:core: started\n');
});

test('heartbeats stand in mainlog and rejectlog every 60 seconds, and nowhere with heartbeat = 0', async () => {
  const { clock, start, log } = house();
  start(ecLogger);
  start(ecLogger, { heartbeat: 0, mainlog: '/quiet/mainlog' });
  await clock.advance(120_100);
  expect(log('mainlog')).toBe('1700000060@@@@M1\n1700000120@@@@M1\n');
  expect(log('rejectlog')).toBe('1700000060: Marker 1\n1700000120: Marker 1\n');
  expect(log('paniclog')).toBe('');
});

test('microseconds are written when log_hires_timestamp is on, but not in the acctlog', async () => {
  const { clock, told, start, log } = house({ log_hires_timestamp: true });
  start(ecLogger);
  told.record(attempt('delivery'));
  told.record({
    kind: 'accounting',
    at: millis(epoch),
    generation: 1,
    type: 'N',
    listener: '*:2025',
    peer: '',
    user: 'ops',
    result: 1,
  });
  await clock.advance(100);
  expect(log('mainlog')).toMatch(/^1700000000000000@/);
  expect(log('acctlog')).toMatch(/^1700000000@N@/);
});

test.each([
  ['log_deliveries', 'delivery'],
  ['log_transient_failures', 'transient'],
  ['log_permanent_failures', 'permanent'],
] as const)('%s = false keeps those lines out of the mainlog', async (option, kind) => {
  const { clock, told, start, log } = house();
  start(ecLogger, { [option]: false });
  for (const each of ['delivery', 'transient', 'permanent'] as const) told.record(attempt(each));
  await clock.advance(100);
  expect(log('mainlog')?.split('\n')).toHaveLength(3);
  expect(log('mainlog')).not.toContain(`@${{ delivery: 'D', transient: 'T', permanent: 'P' }[kind]}@`);
});

test('acctlog_mode wins over the spelling acctlog_log_mode', async () => {
  const { clock, disk, start } = house();
  start(ecLogger, { acctlog_log_mode: 0o600 });
  start(ecLogger, { acctlog: '/other/acctlog', acctlog_log_mode: 0o600, acctlog_mode: 0o640 });
  await clock.settle();
  expect((await disk.status('/var/log/ecelerity/acctlog.ec'))?.mode).toBe(0o600);
  expect((await disk.status('/other/acctlog'))?.mode).toBe(0o640);
});

test('reopen logs answers when the new files are open, and says which one is not', async () => {
  const { clock, disk, told, start, log, commands } = house();
  start(ecLogger);
  await clock.settle();
  await disk.rename('/var/log/ecelerity/mainlog.ec', '/var/log/ecelerity/mainlog.ec.1');
  expect(await answer(commands.get('reopen logs')?.([]))).toEqual(['logs reopened']);
  told.record(attempt('delivery'));
  await clock.advance(100);
  expect(log('mainlog')).toContain('@D@');
  disk.fail({ operation: 'open', path: 'rejectlog' }, 'EACCES');
  const lines = await answer(commands.get('reopen logs')?.([]));
  expect(lines[0]).toMatch(/^\/var\/log\/ecelerity\/rejectlog\.ec: /);
  expect(lines.at(-1)).toBe('not all logs were reopened');
});

test('a disposed logger hears nothing more and has written everything before', async () => {
  const { clock, told, start, log, commands } = house();
  const logger = start(ecLogger);
  told.record(attempt('delivery'));
  const ended = logger[Symbol.asyncDispose]();
  told.record(attempt('delivery'));
  await ended;
  expect(log('mainlog')?.split('\n')).toHaveLength(2);
  expect(commands.size).toBe(0);
  expect(clock.pending).toBe(0);
});

test('mail goes on when a log file cannot be written', async () => {
  const { clock, disk, told, start, complaints } = house();
  disk.fail({ operation: 'open', path: 'mainlog' }, 'EACCES');
  start(ecLogger);
  told.record(attempt('delivery'));
  await clock.advance(5000);
  expect(complaints).toHaveLength(1);
  expect(complaints[0]).toContain('mainlog.ec cannot be written');
});

test('a log that another writer would have to take vetoes the configuration', () => {
  const { start } = house();
  expect(() => start(ecLogger, { paniclog: 'syslog://?facility=mail' })).toThrow(
    'paniclog: syslog:// is not supported',
  );
});

test('a file:// path is a path', async () => {
  const { clock, disk, start } = house();
  start(ecLogger, { mainlog: 'file:///var/log/m' });
  await clock.settle();
  expect(disk.text('/var/log/m')).toBe('');
});

test('the bouncelog has permanent and transient failures, and no deliveries', async () => {
  const { clock, told, start, log } = house();
  start(bounceLogger);
  for (const kind of ['delivery', 'transient', 'permanent'] as const) told.record(attempt(kind));
  await clock.advance(100);
  expect(log('bouncelog')?.match(/@[BT]@/g)).toEqual(['@T@', '@B@']);
});

test.each([
  [{ log_inband_bounces: false }, ['@T@', '@B@']],
  [{ log_outofband_bounces: false }, ['@T@', '@B@']],
  [{ log_transient_failures: false }, ['@B@', '@B@']],
])('with %o the bouncelog has only the other failures', async (values, expected) => {
  const { clock, told, start, log } = house();
  start(bounceLogger, values);
  told.record(attempt('transient'));
  told.record(attempt('permanent'));
  told.record(attempt('permanent', { stage: 21 }));
  await clock.advance(100);
  expect(log('bouncelog')?.match(/@[BT]@/g)).toEqual(expected);
});

test('late mail and subscriptions that were reported by mail are no bounces', async () => {
  const { clock, told, start, log } = house();
  start(bounceLogger);
  for (const bounceClass of [70, 80]) told.record(attempt('permanent', { stage: 21, bounceClass }));
  await clock.advance(60_100);
  expect(log('bouncelog')).toBe('1700000060@@@@M1\n');
});

test('without a paniclog, what it would hold goes to standard error with its level', () => {
  const { told } = house();
  const lines: string[] = [];
  const log = standardErrorLog(told, (text) => lines.push(text));
  const levels: DiagnosticEvent['level'][] = ['DEBUG', 'INFO', 'NOTICE', 'WARNING', 'ERROR', 'CRITICAL'];
  for (const level of levels) told.diagnose(level, 'spool', 'disk\nfull');
  log[Symbol.dispose]();
  told.diagnose('ERROR', 'spool', 'not heard');
  expect(lines).toEqual(['NOTICE', 'WARNING', 'ERROR', 'CRITICAL'].map((level) => `${level} spool: disk\\nfull`));
});
