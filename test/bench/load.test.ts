import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { mechanisms } from '../../bench/load/sasl.ts';
import { Load, type LoadReport } from '../../bench/load/smtp.ts';
import { planOf } from '../../bench/load/smtp-plan.ts';
import { Histogram, Tally } from '../../bench/load/tally.ts';
import { SinkProcess } from '../end-to-end/harness.ts';
import { LoadPeer } from './load-peer.ts';

function load(port: number, ...words: readonly string[]): Promise<LoadReport> {
  const plan = planOf([`127.0.0.1:${port}`, ...words]);
  if (plan === 'help') throw new Error('help is no load');
  return new Load(plan).report;
}

const certificate = made();

function made(): { readonly key: string; readonly cert: string } | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'load-'));
  try {
    const words = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost';
    const [key, cert] = [join(folder, 'key'), join(folder, 'cert')];
    execFileSync('openssl', [...words.split(' '), '-keyout', key, '-out', cert], { stdio: 'ignore' });
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
  } catch {
    console.log('openssl is not on this machine: the load generator is not tried with TLS');
    return undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('a load', () => {
  test('brings as many messages as were asked for, over as many connections as that takes', async () => {
    await using sink = await SinkProcess.start();
    const report = await load(
      sink.port,
      ...'--count 103 --sessions 4 --workers 2 --per-connection 10 --recipients 3 --size 1k:2,4k:1'.split(' '),
    );
    expect(report).toMatchObject({
      sent: 103,
      accepted: 103,
      acceptedRecipients: 309,
      lost: 0,
      errors: {},
      refused: {},
    });
    expect(report.connections).toBeGreaterThanOrEqual(11);
    expect(sink.accepted('b@dst.test')).toHaveLength(103);
    const small = sink.arrived.filter(({ bytes }) => bytes < 2000).length;
    expect(small).toBeGreaterThan(60);
    expect(small).toBeLessThan(76);
    const { connect, MAIL, 'end of data': end } = report.latency;
    for (const times of [connect, MAIL, end]) expect(times?.p50).toBeLessThanOrEqual(times?.most ?? 0);
  });

  test('without pipelining sends one command at a time, the same messages', async () => {
    await using peer = await LoadPeer.start();
    const words = '--count 10 --sessions 2 --no-pipelining --from s{n}@a.test --to r{r}@b.test --recipients 2';
    const report = await load(peer.port, ...words.split(' '));
    expect(report).toMatchObject({ sent: 10, accepted: 10, acceptedRecipients: 20 });
    expect(new Set(peer.envelopes.filter((path) => path.includes('@a.test'))).size).toBe(10);
    expect(peer.envelopes.filter((path) => path === '<r1@b.test>')).toHaveLength(10);
  });

  test.for(['', '--no-pipelining'])('tells refusals by what was refused and by code, and goes on (%s)', async (how) => {
    await using peer = await LoadPeer.start();
    const words = ['--count', '8', '--sessions', '2', ...(how === '' ? [] : [how])];
    const senders = await load(peer.port, ...words, '--from', 'refused@a.test');
    expect(senders).toMatchObject({ sent: 8, accepted: 0, refused: { 'MAIL 550': 8 }, errors: {}, lost: 0 });
    const recipients = await load(peer.port, ...words, '--to', 'no{n}@a.test');
    expect(recipients).toMatchObject({ sent: 8, accepted: 0, refused: { 'RCPT 550': 8 }, errors: {}, lost: 0 });
    expect(peer.bodies).toEqual([]);
  });

  test('keeps its rate, and comes from the addresses that were named', async () => {
    await using peer = await LoadPeer.start();
    const words = '--seconds 1 --rate 100 --sessions 5 --per-connection 5 --source 127.0.0.2-127.0.0.4';
    const report = await load(peer.port, ...words.split(' '));
    expect(report.accepted).toBeGreaterThan(60);
    expect(report.accepted).toBeLessThanOrEqual(110);
    expect([...peer.remotes].sort()).toEqual(['127.0.0.2', '127.0.0.3', '127.0.0.4']);
  });

  test('sends a file as it is, its dots doubled', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'load-'));
    writeFileSync(join(folder, 'mail'), '.Subject: x\n\n.\ntext');
    await using peer = await LoadPeer.start();
    await load(peer.port, '--count', '1', '--file', join(folder, 'mail'));
    rmSync(folder, { recursive: true });
    expect(peer.bodies).toEqual(['..Subject: x\r\n\r\n..\r\ntext']);
  });

  test.for(mechanisms)('authenticates with %s, and is refused with a wrong password', async (mechanism) => {
    await using peer = await LoadPeer.start({ user: 'me', password: 'se=cr,et' });
    const words = ['--count', '3', '--sessions', '1', '--auth', mechanism, '--user', 'me'];
    const right = await load(peer.port, ...words, '--password', 'se=cr,et');
    expect(right).toMatchObject({ accepted: 3, errors: {} });
    expect(peer.authenticated).toEqual([mechanism]);
    const wrong = await load(peer.port, '--seconds', '0.3', ...words.slice(2), '--password', 'wrong');
    expect(wrong.accepted).toBe(0);
    expect(Object.keys(wrong.refused)).toEqual(['AUTH 535']);
  });

  test.for(['starttls', 'implicit'])('encrypts (%s), and resumes sessions where it is told to', async (tls) => {
    if (certificate === undefined) return;
    await using peer = await LoadPeer.start({ certificate, implicit: tls === 'implicit' });
    const words = ['--count', '12', '--sessions', '1', '--per-connection', '2', '--tls', tls];
    const fresh = await load(peer.port, ...words);
    expect(fresh).toMatchObject({ accepted: 12, resumed: 0, errors: {} });
    expect(peer.encrypted).toBeGreaterThanOrEqual(6);
    const before = peer.encrypted;
    const resumed = await load(peer.port, ...words, '--resume');
    expect(resumed).toMatchObject({ accepted: 12, errors: {} });
    if (tls === 'implicit') expect(resumed.resumed).toBeGreaterThanOrEqual(4);
    expect(peer.encrypted - before).toBeGreaterThanOrEqual(6);
    expect(resumed.latency.TLS?.p50).toBeGreaterThan(0);
  });

  test('ends with its errors when nobody listens', async () => {
    const report = await load(1, '--count', '10', '--sessions', '2', '--most-errors', '5');
    expect(report.accepted).toBe(0);
    expect(Object.keys(report.errors)).toEqual(['ECONNREFUSED at banner']);
  });
});

test.for([
  [[], 'one HOST:PORT is wanted'],
  [['127.0.0.1'], 'one HOST:PORT is wanted'],
  [['a:1', '--size', 'big'], '--size takes bytes'],
  [['a:1', '--auth', 'NTLM'], '--auth is one of PLAIN'],
  [['a:1', '--tls', 'yes'], '--tls is no, starttls or implicit'],
  [['a:1', '--hostile', 'x'], '--hostile is one of drip'],
  [['a:1', '--source', '::1'], '--source takes an IPv4 address'],
  [['a:1', '--sessions', '0'], '--sessions takes a number of at least 1'],
] as const)('options %j are refused: %s', ([words, why]) => {
  expect(() => planOf(words)).toThrow(why);
});

test('percentiles of many processes are those of all, with 2 % of error', () => {
  const [one, other] = [new Histogram(), new Histogram()];
  for (let i = 1; i <= 10_000; i++) (i % 2 === 0 ? one : other).add(i / 10);
  one.merge(other);
  for (const share of [0.01, 0.5, 0.95, 0.99]) expect(one.at(share) / (share * 1000)).toBeCloseTo(1, 1);
  expect(one.most).toBe(1000);
  const tally = new Tally();
  tally.refuse('RCPT', 550);
  const all = new Tally();
  all.merge(structuredClone({ ...tally }));
  all.merge(structuredClone({ ...tally }));
  expect(all.refused).toEqual({ 'RCPT 550': 2 });
});
