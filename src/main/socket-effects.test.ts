import { expect, test } from 'vitest';
import type { ListenPlan } from '../listener/index.ts';
import { socketEffects } from './socket-effects.ts';

const socket = (key: string): ListenPlan['keep'][number] => ({
  key,
  listener: 'esmtp_listener',
  endpoint: { kind: 'unix', path: key },
  backlog: 1,
  fileMode: 0o600,
  optional: false,
  noDelay: false,
  acceptQueue: 0,
});

test('what is closed to be opened again is one thing, what gives way to another address two', () => {
  const told = socketEffects({
    keep: [socket('/a')],
    open: [socket('/b')],
    reopen: [{ close: [socket('0.0.0.0:25'), socket('/c')], open: [socket('127.0.0.1:25'), socket('/c')] }],
    change: [{ from: socket('/d'), to: socket('/d') }],
    close: [socket('/e')],
  });
  expect(told).toEqual({
    opened: ['ESMTP_Listener /b', 'ESMTP_Listener 127.0.0.1:25'],
    reopened: ['ESMTP_Listener /c'],
    changed: ['ESMTP_Listener /d'],
    closed: ['ESMTP_Listener /e', 'ESMTP_Listener 0.0.0.0:25'],
    kept: ['ESMTP_Listener /a'],
  });
});
