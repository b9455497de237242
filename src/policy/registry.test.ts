import { expect, test } from 'vitest';
import { reply } from '../smtp/index.ts';
import type { Session, Verdict } from './phases.ts';
import { policy } from './registry.ts';

const session: Session = {
  remote: { ip: '192.0.2.1', port: 25000 },
  helo: 'client.example',
  reversePath: undefined,
  recipient: undefined,
  connectionContext: {},
  messageContext: {},
};

const CONTINUE: Verdict = { kind: 'continue' };
const NO: Verdict = { kind: 'reject', reply: reply(550, '5.7.1', 'no') };

/** A hook that leaves a note. */
const told = (_note: number, verdict: Verdict): Verdict => verdict;

function parts() {
  const lines: string[] = [];
  return {
    lines,
    policy: policy({ diagnose: (level, module, text) => void lines.push(`${level} ${module}: ${text}`) }),
  };
}

test('hooks run in the order of registration and the first decision ends the phase', () => {
  const { policy: rules } = parts();
  const ran: string[] = [];
  const hook = (name: string, verdict: Verdict): Disposable =>
    rules.hook('validate_ehlo', name, () => told(ran.push(name), verdict));
  hook('a', CONTINUE);
  hook('b', NO);
  hook('c', { kind: 'done' });
  expect(rules.run('validate_ehlo', session)).toEqual({ ...NO, module: 'b' });
  expect(ran).toEqual(['a', 'b']);
});

test('without hooks, and with hooks that have no opinion, a phase goes on and makes no promise', () => {
  const { policy: rules } = parts();
  expect(rules.has('validate_connect')).toBe(false);
  expect(rules.run('validate_connect', session)).toEqual(CONTINUE);
  rules.hook('validate_connect', 'a', () => CONTINUE);
  expect(rules.has('validate_connect')).toBe(true);
  expect(rules.run('validate_connect', session)).toEqual(CONTINUE);
});

test('a hook that waits makes a promise, and those behind it run afterwards', async () => {
  const { policy: rules } = parts();
  const ran: string[] = [];
  rules.hook('validate_connect', 'a', async () => told(ran.push('a'), CONTINUE));
  rules.hook('validate_connect', 'b', () => told(ran.push('b'), NO));
  const verdict = rules.run('validate_connect', session);
  expect(verdict).toBeInstanceOf(Promise);
  expect(ran).toEqual(['a']);
  expect(await verdict).toMatchObject({ kind: 'reject', module: 'b' });
});

test('a hook that throws or rejects gives 451 4.3.0 and one diagnostic line', async () => {
  const { policy: rules, lines } = parts();
  const soft = { kind: 'soft', reply: reply(451, '4.3.0', 'transaction failed'), module: 'bad' };
  rules.hook('validate_ehlo', 'bad', () => {
    throw new Error('oh');
  });
  rules.hook('validate_connect', 'bad', () => Promise.reject(new Error('late')));
  expect(rules.run('validate_ehlo', session)).toEqual(soft);
  expect(await rules.run('validate_connect', session)).toEqual(soft);
  expect(lines).toEqual([
    'ERROR bad: validate_ehlo failed, the client was answered with 451: oh',
    'ERROR bad: validate_connect failed, the client was answered with 451: late',
  ]);
});

test('a disposed hook is gone', () => {
  const { policy: rules } = parts();
  const hook = rules.hook('validate_data', 'a', () => NO);
  hook[Symbol.dispose]();
  expect(rules.has('validate_data')).toBe(false);
  expect(rules.run('validate_data', session)).toEqual(CONTINUE);
});

test('__bypass_MODULE = true passes a module over, and nobody else', () => {
  const { policy: rules } = parts();
  rules.hook('validate_ehlo', 'spf_v1', () => NO);
  rules.hook('validate_ehlo', 'other', () => ({ kind: 'done' }));
  const run = (connectionContext: Record<string, string>): Verdict | Promise<Verdict> =>
    rules.run('validate_ehlo', { ...session, connectionContext });
  expect(run({ __bypass_spf_v1: 'true' })).toEqual({ kind: 'done' });
  expect(run({ __bypass_spf_v1: 'false', __bypass_other: 'true' })).toMatchObject({ kind: 'reject', module: 'spf_v1' });
});
