import { describe, expect, test } from 'vitest';
import {
  generationOf,
  HandClock,
  Peer,
  type TestGeneration,
  type Values,
  viewOf,
} from '../../test/dialogues/mail-in.ts';
import { type Endpoint, endpointText, parseEndpoint } from '../base/index.ts';
import {
  type CommitCheck,
  ConfigError,
  type Configuration,
  type Generation,
  type ListenerType,
  type ListenStanza,
  type View,
} from '../config/index.ts';
import type { MailEvent } from '../events/index.ts';
import type { Origin } from '../reception/index.ts';
import { type Listening, type ListenOptions, NetworkError, type Pipe, type PipeHost } from '../world/index.ts';
import { ListenError, listeners } from './listeners.ts';

const at = (text: string): Endpoint => {
  const endpoint = parseEndpoint(text);
  if (endpoint.kind === 'error') throw new Error(endpoint.text);
  return endpoint;
};

/** Sockets in a list, with the conflicts of a real machine. */
class Machine {
  readonly open = new Map<string, { readonly options: ListenOptions; readonly accept: (pipe: Pipe) => PipeHost }>();
  readonly log: string[] = [];
  /** Endpoints that cannot be opened, and why. */
  readonly broken = new Map<string, string>();

  async listen(where: Endpoint, options: ListenOptions, accept: (pipe: Pipe) => PipeHost): Promise<Listening> {
    const key = endpointText(where);
    const trouble = this.broken.get(key);
    if (trouble !== undefined) throw new NetworkError(trouble, `${trouble} at ${key}`);
    const port = where.kind === 'tcp' ? `:${where.port}` : key;
    const taken = [...this.open.keys()].some(
      (other) =>
        other === key ||
        (other.endsWith(port) &&
          ![other, key].some((each) => each.startsWith('[')) &&
          [other, key].includes(`0.0.0.0${port}`)),
    );
    if (taken) throw new NetworkError('EADDRINUSE', 'address already in use');
    this.open.set(key, { options, accept });
    this.log.push(`+${key}`);
    return {
      at: where,
      [Symbol.asyncDispose]: async () => {
        this.open.delete(key);
        this.log.push(`-${key}`);
      },
    };
  }
}

const subscribed = (_count: number): Disposable => ({ [Symbol.dispose]: () => undefined });

class House {
  readonly machine = new Machine();
  readonly clock = new HandClock();
  readonly recorded: MailEvent[] = [];
  readonly lines: string[] = [];
  readonly served: Origin[] = [];
  readonly #checks: CommitCheck[] = [];
  readonly #hearers: ((next: Generation, last: Generation) => void)[] = [];
  current: TestGeneration;
  readonly doors;

  constructor(listens: readonly ListenStanza[]) {
    this.current = generationOf({}, 1, listens);
    const house = this;
    const configuration: Configuration = {
      get current() {
        return house.current;
      },
      onCommit: (hear) => subscribed(this.#hearers.push(hear)),
      beforeCommit: (check) => subscribed(this.#checks.push(check)),
      reload: () => Promise.reject(new Error('no files here')),
    };
    const handler = (_pipe: Pipe, origin: Origin): PipeHost => {
      this.served.push(origin);
      return { data: () => undefined, drained: () => undefined, closed: origin.ended };
    };
    this.doors = listeners({
      network: this.machine,
      clock: this.clock,
      configuration,
      events: {
        record: (event) => void this.recorded.push(event),
        subscribe: () => ({ [Symbol.dispose]: () => undefined }),
        diagnose: (level, _module, text) => void this.lines.push(`${level} ${text}`),
      },
      handlers: { esmtp_listener: handler, control_listener: handler },
    });
  }

  /** As the configuration does it: checks, the swap, and then everybody is told. */
  async commit(listens: readonly ListenStanza[], vetoed = false): Promise<void> {
    const last = this.current;
    const next = generationOf({}, last.number + 1, listens);
    for (const check of this.#checks) await check(next, last);
    if (vetoed) return;
    this.current = next;
    for (const hear of this.#hearers) hear(next, last);
    // Sockets that go are closed afterwards.
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  }

  get keys(): string[] {
    return [...this.machine.open.keys()].sort();
  }

  connect(key: string): Peer {
    const peer = new Peer(this.clock, { ip: '192.0.2.9', port: 4 });
    peer.host = this.machine.open.get(key)?.accept(peer);
    this.clock.turn();
    return peer;
  }
}

const listen = (text: string, values: Values = {}, listener: ListenerType = 'esmtp_listener'): ListenStanza => ({
  listener,
  endpoint: at(text),
  view: viewOf(values, 1, `${listener}:listen:${text}`),
});

const CONTROL = listen('/tmp/c', {}, 'control_listener');

describe('start', () => {
  test('opens every enabled Listen with its backlog and mode', async () => {
    const house = new House([
      listen(':25'),
      listen('[*]:25', { listen_backlog: '7' }),
      listen(':26', { enable: 'false' }),
      listen('/tmp/s', { file_mode: '0600' }),
      CONTROL,
    ]);
    await house.doors.open();
    expect(house.keys).toEqual(['/tmp/c', '/tmp/s', '0.0.0.0:25', '[::]:25']);
    expect(house.machine.open.get('[::]:25')?.options.backlog).toBe(7);
    expect(house.machine.open.get('/tmp/s')?.options.fileMode).toBe(0o600);
    expect(house.machine.open.get('/tmp/c')?.options).toMatchObject({ backlog: 500, fileMode: 0o660 });
    expect(house.doors.names).toContain('ESMTP_Listener 0.0.0.0:25');
  });

  test('fails as a whole, and names the endpoint', async () => {
    const house = new House([listen('127.0.0.1:25'), listen('127.0.0.2:25'), CONTROL]);
    house.machine.broken.set('127.0.0.2:25', 'EACCES');
    await expect(house.doors.open()).rejects.toThrow('cannot bind 127.0.0.2:25: EACCES at 127.0.0.2:25');
    expect(house.keys).toEqual([]);
  });

  test('a wildcard and an address of one port overlap, and the error says so', async () => {
    const house = new House([listen(':25'), listen('127.0.0.1:25'), CONTROL]);
    const failed = house.doors.open();
    await expect(failed).rejects.toThrow('cannot bind 0.0.0.0:25: *:25 overlaps 127.0.0.1:25');
    await expect(failed).rejects.toBeInstanceOf(ListenError);
  });

  test('without a Control_Listener the default socket is opened, and only noticed when it cannot be', async () => {
    const house = new House([listen(':25')]);
    await house.doors.open();
    expect(house.machine.open.get('/run/impetus/2025')?.options.fileMode).toBe(0o600);
    const other = new House([listen(':25')]);
    other.machine.broken.set('/run/impetus/2025', 'EACCES');
    await other.doors.open();
    expect(other.keys).toEqual(['0.0.0.0:25']);
    expect(other.lines).toEqual([
      'NOTICE no console socket: cannot bind /run/impetus/2025: EACCES at /run/impetus/2025',
    ]);
  });

  test('a type that nobody serves is not opened, with a notice', async () => {
    const house = new House([listen(':2081', {}, 'http_listener'), CONTROL]);
    await house.doors.open();
    expect(house.keys).toEqual(['/tmp/c']);
    expect(house.lines).toEqual(['NOTICE 0.0.0.0:2081 is not opened: no HTTP_Listener is implemented yet']);
  });
});

test('a plan says what a commit would do to the sockets, and touches none', async () => {
  const house = new House([listen(':25'), listen(':26'), listen('/tmp/s', { file_mode: '0600' }), CONTROL]);
  await house.doors.open();
  const log = [...house.machine.log];
  const listens = [
    listen(':26'),
    listen(':27'),
    listen(':28', {}, 'http_listener'),
    listen('/tmp/s', { file_mode: '0666' }),
    CONTROL,
  ];
  const plan = house.doors.plan(generationOf({}, 2, listens));
  const keys = (sockets: readonly { readonly key: string }[]): readonly string[] => sockets.map(({ key }) => key);
  expect(keys(plan.keep)).toEqual(['/tmp/c', '0.0.0.0:26']);
  expect(keys(plan.open)).toEqual(['0.0.0.0:27']);
  expect(keys(plan.close)).toEqual(['0.0.0.0:25']);
  expect(plan.reopen.map(({ close, open }) => [keys(close), keys(open)])).toEqual([[['/tmp/s'], ['/tmp/s']]]);
  expect(house.machine.log).toEqual(log);
  expect(house.lines).toEqual([]);
  await house.commit(listens);
  expect(house.keys).toEqual(['/tmp/c', '/tmp/s', '0.0.0.0:26', '0.0.0.0:27']);
});

describe('a commit', () => {
  test('keeps what is in both, opens what is new first, and then closes what is gone', async () => {
    const house = new House([listen(':25'), listen(':26'), CONTROL]);
    await house.doors.open();
    house.machine.log.length = 0;
    await house.commit([listen(':25'), listen(':27'), CONTROL]);
    expect(house.machine.log).toEqual(['+0.0.0.0:27', '-0.0.0.0:26']);
  });

  test('goes from an address to the wildcard and back in one step', async () => {
    const house = new House([listen('127.0.0.1:25'), CONTROL]);
    await house.doors.open();
    await house.commit([listen(':25'), CONTROL]);
    expect(house.keys).toEqual(['/tmp/c', '0.0.0.0:25']);
    await house.commit([listen('127.0.0.1:25'), CONTROL]);
    expect(house.keys).toEqual(['/tmp/c', '127.0.0.1:25']);
  });

  test('Enable false closes one socket and true opens it again; sessions stay', async () => {
    const house = new House([listen(':25'), CONTROL]);
    await house.doors.open();
    const peer = house.connect('0.0.0.0:25');
    await house.commit([listen(':25', { enable: 'false' }), CONTROL]);
    expect(house.keys).toEqual(['/tmp/c']);
    expect(peer.ended).toBe(false);
    await house.commit([listen(':25'), CONTROL]);
    expect(house.keys).toEqual(['/tmp/c', '0.0.0.0:25']);
  });

  test('a changed backlog opens the socket anew', async () => {
    const house = new House([listen(':25'), CONTROL]);
    await house.doors.open();
    await house.commit([listen(':25', { listen_backlog: '9' }), CONTROL]);
    expect(house.machine.open.get('0.0.0.0:25')?.options.backlog).toBe(9);
  });

  test('is vetoed when a socket cannot be opened, and everything is as before', async () => {
    const house = new House([listen('127.0.0.1:25'), listen(':27'), CONTROL]);
    await house.doors.open();
    house.machine.broken.set('0.0.0.0:25', 'EACCES');
    const failed = house.commit([listen(':25'), listen(':26'), CONTROL]);
    await expect(failed).rejects.toBeInstanceOf(ConfigError);
    await expect(failed).rejects.toThrow('cannot bind 0.0.0.0:25');
    expect(house.keys).toEqual(['/tmp/c', '0.0.0.0:27', '127.0.0.1:25']);
    expect(house.connect('127.0.0.1:25').host).toBeDefined();
  });

  test('that somebody else vetoes closes nothing', async () => {
    const house = new House([listen(':25'), CONTROL]);
    await house.doors.open();
    await house.commit([listen(':26'), CONTROL], true);
    expect(house.keys).toContain('0.0.0.0:25');
    await house.commit([listen(':25'), CONTROL]);
    expect(house.keys).toEqual(['/tmp/c', '0.0.0.0:25']);
  });

  test('does nothing once the listeners are closed', async () => {
    const house = new House([listen(':25'), CONTROL]);
    await house.doors.open();
    await house.doors.close();
    await house.commit([listen(':26'), CONTROL]);
    expect(house.keys).toEqual([]);
  });
});

describe('a connection', () => {
  test('is handed to its handler with the generation of now', async () => {
    const house = new House([listen(':25'), CONTROL]);
    await house.doors.open();
    await house.commit([listen(':25'), CONTROL]);
    house.connect('0.0.0.0:25');
    expect(house.served).toMatchObject([{ generation: { number: 2 }, endpoint: { ip: '0.0.0.0', port: 25 } }]);
  });

  test('over the cap is told 421 and closed; a closed one makes room', async () => {
    const house = new House([listen(':25', { listener_sessions: '2' }), CONTROL]);
    await house.doors.open();
    const view = house.current.listens()[0]?.view as View;
    Object.assign(house.current, { receiving: () => view });
    const first = house.connect('0.0.0.0:25');
    house.connect('0.0.0.0:25');
    const third = house.connect('0.0.0.0:25');
    expect(third.hears()).toBe('421 4.4.5 Service unavailable, concurrency limit reached.\r\n');
    expect(third.ended).toBe(true);
    expect(house.recorded).toMatchObject([{ kind: 'rejection', phase: 'concurrency limit', remote: '192.0.2.9:4' }]);
    first.hangsUp();
    expect(house.connect('0.0.0.0:25').ended).toBe(false);
    expect(house.served).toHaveLength(3);
  });
});
