import { expect, test } from 'vitest';
import { configured } from '../../test/support/configuration.ts';
import { declared, endpoint } from '../../test/support/listening.ts';
import type { Generation } from '../config/index.ts';
import { type ListenPlan, planListeners } from './plan.ts';
import { wantedSockets } from './wanted.ts';

const control = endpoint('/c');

async function generation(text: string): Promise<Generation> {
  return (await configured(text, declared)).configuration.current;
}

/** The plan from one configuration to another, as words. */
async function planned(before: string, after: string): Promise<Record<keyof ListenPlan, unknown>> {
  const live = wantedSockets(await generation(before), control).values();
  const plan = planListeners(live, await generation(after), { control });
  const keys = (sockets: readonly { readonly key: string }[]): string =>
    sockets
      .map(({ key }) => key)
      .filter((key) => key !== '/c')
      .join(' ');
  return {
    keep: keys(plan.keep),
    open: keys(plan.open),
    reopen: plan.reopen.map((port) => `${keys(port.close)} → ${keys(port.open)}`),
    change: keys(plan.change.map(({ to }) => to)),
    close: keys(plan.close),
  };
}

const esmtp = (...listens: readonly string[]): string =>
  `ESMTP_Listener { ${listens.map((each) => (each.includes('{') ? each : `Listen "${each}" { }`)).join(' ')} }`;

test.each<[string, string, string, Partial<Record<keyof ListenPlan, unknown>>]>([
  ['nothing changes', esmtp(':25', '/s'), esmtp('*:25', '//s'), { keep: '0.0.0.0:25 /s' }],
  ['a new endpoint', esmtp(':25'), esmtp(':25', ':587'), { keep: '0.0.0.0:25', open: '0.0.0.0:587' }],
  ['an endpoint goes', esmtp(':25', ':587'), esmtp(':25'), { keep: '0.0.0.0:25', close: '0.0.0.0:587' }],
  ['an address becomes the wildcard', esmtp('127.0.0.1:25'), esmtp(':25'), { reopen: ['127.0.0.1:25 → 0.0.0.0:25'] }],
  ['and back', esmtp(':25'), esmtp('127.0.0.1:25'), { reopen: ['0.0.0.0:25 → 127.0.0.1:25'] }],
  [
    'several addresses become the wildcard at once, other ports are not touched',
    esmtp('10.0.0.1:25', '10.0.0.2:25', '10.0.0.1:26'),
    esmtp(':25', '10.0.0.1:26'),
    { keep: '10.0.0.1:26', reopen: ['10.0.0.1:25 10.0.0.2:25 → 0.0.0.0:25'] },
  ],
  [
    'the wildcard becomes several addresses, of one port in one go',
    esmtp(':25', ':26'),
    esmtp('10.0.0.1:25', '10.0.0.2:25', '10.0.0.1:26'),
    { reopen: ['0.0.0.0:25 → 10.0.0.1:25 10.0.0.2:25', '0.0.0.0:26 → 10.0.0.1:26'] },
  ],
  [
    'another address of the port is no conflict',
    esmtp('10.0.0.1:25'),
    esmtp('10.0.0.2:25'),
    { open: '10.0.0.2:25', close: '10.0.0.1:25' },
  ],
  [
    'the families do not disturb each other',
    esmtp(':25', '[::1]:25'),
    esmtp(':25', '[*]:25'),
    { keep: '0.0.0.0:25', reopen: ['[::1]:25 → [::]:25'] },
  ],
  [
    'an address that stays beside a wildcard that comes: tried, the system decides',
    esmtp('127.0.0.1:25'),
    esmtp('127.0.0.1:25', ':25'),
    { keep: '127.0.0.1:25', open: '0.0.0.0:25' },
  ],
  ['both are new: the address first', '', esmtp(':25', '127.0.0.1:25'), { open: '127.0.0.1:25 0.0.0.0:25' }],
  [
    'backlog, mode and Nagle change an open socket',
    esmtp(':25', ':26', '/s'),
    esmtp(
      'Listen ":25" { Listen_Backlog = 9 }',
      'Listen ":26" { Disable_Nagle_Algorithm = true }',
      'Listen "/s" { File_Mode = 0600 }',
    ),
    { change: '0.0.0.0:25 0.0.0.0:26 /s' },
  ],
  [
    'a mode is nothing to a port, nor Nagle to a Unix socket',
    esmtp(':25', '/s'),
    esmtp('Listen ":25" { File_Mode = 0600 }', 'Listen "/s" { Disable_Nagle_Algorithm = true }'),
    { keep: '0.0.0.0:25 /s' },
  ],
  [
    'a value of the listener counts for each Listen that has none of its own',
    esmtp(':25', 'Listen ":26" { Listen_Backlog = 9 }'),
    `ESMTP_Listener { Listen_Backlog = 7 Listen ":25" { } Listen ":26" { Listen_Backlog = 9 } }`,
    { keep: '0.0.0.0:26', change: '0.0.0.0:25' },
  ],
  ['a disabled Listen is closed', esmtp(':25'), esmtp('Listen ":25" { Enable = false }'), { close: '0.0.0.0:25' }],
  [
    'a disabled listener closes all, also who says true',
    esmtp(':25', ':26'),
    'ESMTP_Listener { Enable = off Listen ":25" { } Listen ":26" { Enable = true } }',
    { close: '0.0.0.0:25 0.0.0.0:26' },
  ],
  [
    'an endpoint that goes to another listener keeps its socket',
    esmtp('/s'),
    'Control_Listener { Listen "/s" { } }',
    { keep: '/s' },
  ],
])('%s', async (_, before, after, expected) => {
  const nothing = { keep: '', open: '', reopen: [], change: '', close: '' };
  expect(await planned(before, after)).toEqual({ ...nothing, ...expected });
});

test('the console keeps a socket while there is no Control_Listener, and only then', async () => {
  const of = async (text: string) => [...wantedSockets(await generation(text), control).values()];
  expect(await of('')).toMatchObject([{ key: '/c', listener: 'control_listener', fileMode: 0o600, optional: true }]);
  expect(await of('Control_Listener { Listen "/x" { } }')).toMatchObject([{ key: '/x', fileMode: 0o660 }]);
  // One that is there and disabled is a decision.
  expect(await of('Control_Listener { Enable = false Listen "/x" { } }')).toEqual([]);
  expect(await of(esmtp('/c'))).toMatchObject([{ key: '/c', listener: 'esmtp_listener', optional: false }]);
});

test('sockets that nobody would serve are not in a plan', async () => {
  const next = await generation('HTTP_Listener { Listen ":2081" { } }');
  const plan = planListeners([], next, { control, serves: (listener) => listener === 'control_listener' });
  expect(plan.open.map(({ key }) => key)).toEqual(['/c']);
});
