import { hash } from 'node:crypto';
import { Compile } from 'typebox/compile';
import { expect, test } from 'vitest';
import { buildServer, type Server, version } from '../../src/main/index.ts';
import { runProgram } from '../../src/programs/index.ts';
import { type SimProcess, type SimWorld, simProcess, simWorld } from '../../src/world/sim/index.ts';
import { askIn, errorOf, type HttpAnswer, HttpClient, jsonOf, request } from '../support/http-room.ts';
import { Client, endpoint } from '../support/listening.ts';
import { samplesOf } from '../support/prometheus.ts';
import { serverConfiguration } from '../support/server-configuration.ts';
import { simShell } from '../support/sim-shell.ts';

const FILE = '/etc/impetus.conf';

const text = (http: string, more = ''): string => `
Spoolbase = "/spool"
API_Key_File = "/keys/keys.json"
Relay_Hosts = ( 127.0.0.0/8 )
${more}
ESMTP_Listener { Listen "127.0.0.1:25" { } }
Control_Listener { Listen "/run/control" { } }
HTTP_Listener { ${http} Listen "127.0.0.1:2081" { } }
`;

/** A whole server in a simulated world; nobody takes its mail. */
class House {
  readonly world: SimWorld = simWorld(1, { diskLatencyMillis: 1 });
  readonly process: SimProcess = simProcess();
  readonly told: string[] = [];
  server!: Server;

  static async open(http = '', more = ''): Promise<House> {
    const house = new House();
    house.world.disk.put(FILE, text(http, more));
    house.server = await house.world.clock.until(house.#begin());
    await house.world.clock.advance(100);
    return house;
  }

  async #begin(): Promise<Server> {
    return buildServer({
      world: this.world,
      process: this.process,
      configuration: await serverConfiguration(this.world, FILE),
      observe: (events) => events.subscribe(['diagnostic'], (event) => void this.told.push(event.text)),
    });
  }

  ask(head: string, body = ''): Promise<HttpAnswer> {
    return askIn(this.world, head, body);
  }

  async reload(http: string, more = ''): Promise<void> {
    this.world.disk.put(FILE, text(http, more));
    await this.world.clock.until(this.server.reload());
  }

  async mail(...domains: readonly string[]): Promise<string> {
    const client = new Client();
    client.pipe = this.world.network.connect(endpoint('127.0.0.1:25'), '127.0.0.1', client);
    const recipients = domains.map((domain) => `RCPT TO:<a@${domain}>`);
    for (const line of [
      'EHLO a.test',
      'MAIL FROM:<a@b.test>',
      ...recipients,
      'DATA',
      'Subject: x\r\n\r\ny\r\n.',
      'QUIT',
    ]) {
      client.pipe.write([Buffer.from(`${line}\r\n`)]);
      await this.world.clock.advance(50);
    }
    return client.heard;
  }

  close(): Promise<void> {
    return this.world.clock.until(this.server.close(1000));
  }
}

test('the probes say that it lives and should get traffic, with its version', async () => {
  const house = await House.open();
  await house.world.clock.advance(5000);
  expect(jsonOf(await house.ask('GET /health'))).toEqual({ status: 'ok', version, uptime: 5 });
  expect(jsonOf(await house.ask('GET /ready'))).toEqual({ status: 'ready' });
  await house.close();
});

test('it is not ready while memory_hwm is reached, and while the spool is full, until there is room again', async () => {
  const house = await House.open('', 'Memory_HWM = 90\nSpool_Min_Free = 1000');
  house.process.use = { used: 95, limit: 100 };
  await house.world.clock.advance(1100);
  const refused = await house.ask('GET /ready');
  expect(errorOf(refused)).toEqual({ status: 503, code: '1502', description: 'memory_hwm is reached' });
  expect(refused.headers['retry-after']).toBe('5');
  expect((await house.ask('GET /health')).status).toBe(200);
  house.process.use = { used: 10, limit: 100 };
  await house.world.clock.advance(1100);
  expect((await house.ask('GET /ready')).status).toBe(200);

  const { capacity } = house.world.disk.settings;
  house.world.disk.settings.capacity = 1;
  await house.world.clock.advance(2000);
  expect(await house.mail('x.test')).toContain('452 ');
  expect(errorOf(await house.ask('GET /ready'))).toMatchObject({ status: 503, description: 'the spool is full' });
  house.world.disk.settings.capacity = capacity;
  // Nobody tries to send mail: asking is enough to find out.
  await house.world.clock.advance(2000);
  await house.ask('GET /ready');
  await house.world.clock.advance(100);
  expect((await house.ask('GET /ready')).status).toBe(200);
  await house.close();
});

test('while it stops a connection that is open is told so, and closed', async () => {
  const house = await House.open();
  const client = new HttpClient(house.world, undefined);
  client.says(request('GET /ready'));
  expect((await client.answers(100)).map(({ status }) => status)).toEqual([200]);
  await house.close();
  expect(client.closed).toBe(true);
});

test('the figures are those of the console: mail that waits is counted once for each recipient', async () => {
  const house = await House.open();
  expect(await house.mail('one.test', 'two.test')).toMatch(/^250 OK \w+/m);
  await house.mail('two.test');
  const summary = jsonOf<Record<string, unknown>>(await house.ask('GET /stats/summary'));
  expect(summary).toMatchObject({ ReceivedMessages: 3, TotalQueueSize: 3, DeliveredMessages: 0, DNSResolver: 'node' });
  const mailq = async (query: string) =>
    jsonOf<{ QueueSummary: { domain: string; binding: string; aq: number; dq: number; receptions: number }[] }>(
      await house.ask(`GET /stats/queues/mailq${query}`),
    ).QueueSummary;
  const all = await mailq('');
  expect(all.map(({ domain, receptions, aq, dq }) => [domain, receptions, aq + dq])).toEqual([
    ['two.test', 2, 2],
    ['one.test', 1, 1],
  ]);
  expect(Object.keys(all[0] ?? {})).toEqual([
    'group',
    'binding',
    'domain',
    'aq',
    'dq',
    'receptions',
    'permfails',
    'transfails',
    'deliveries',
  ]);
  expect((await mailq('?limit=1')).map(({ domain }) => domain)).toEqual(['two.test']);
  for (const limit of ['0', '-5', 'x', '']) expect(await mailq(`?limit=${limit}`)).toHaveLength(2);
  expect((await mailq('?domain=ONE.test')).map(({ domain }) => domain)).toEqual(['one.test']);
  expect(await mailq('?binding=none')).toEqual([]);
  expect(await mailq('?ip=192.0.2.1')).toEqual([]);
  expect(await mailq('?ip=192.0.2.1&binding=default')).toHaveLength(2);
  await house.close();
});

test('what is answered is as the OpenAPI document says', async () => {
  const house = await House.open();
  await house.mail('one.test');
  interface Operation {
    readonly parameters: readonly { readonly in: string }[];
    readonly responses: Readonly<
      Record<string, { readonly content?: Readonly<Record<string, { readonly schema: object }>> }>
    >;
  }
  const { paths } = jsonOf<{ paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> }>(
    await house.ask('GET /openapi.json'),
  );
  let checked = 0;
  for (const [path, item] of Object.entries(paths)) {
    for (const [method, { responses }] of Object.entries(item)) {
      const answer = await house.ask(`${method.toUpperCase()} ${path}`);
      const described = responses[answer.status];
      // Nobody gets further than that without a key.
      const wanted = path.startsWith('/api/v1/') ? 401 : 200;
      expect([path, answer.status, described !== undefined]).toEqual([path, wanted, true]);
      const schema = described?.content?.['application/json']?.schema;
      if (schema === undefined || wanted !== 200) continue;
      expect([path, [...Compile(schema).Errors(jsonOf(answer))]]).toEqual([path, []]);
      checked++;
    }
  }
  expect(checked).toBeGreaterThanOrEqual(5);
  await house.close();
});

test('DELETE /stats/summary begins the figures anew, and leaves the counters of the metrics', async () => {
  const house = await House.open();
  await house.mail('one.test');
  const received = async () =>
    samplesOf((await house.ask('GET /metrics')).text).get('impetus_messages_total{event="received",protocol="esmtp"}');
  expect(await received()).toBe(1);
  expect(jsonOf(await house.ask('DELETE /stats/summary'))).toEqual({ message: 'statistics cleared' });
  expect(jsonOf(await house.ask('GET /stats/summary'))).toMatchObject({ ReceivedMessages: 0, TotalQueueSize: 1 });
  expect(await received()).toBe(1);
  await house.close();
});

test('the metrics are well-formed, and single domains are shown only when metrics_domains names them', async () => {
  const house = await House.open('', 'Metrics_Domains = ( "*.big.test" )');
  await house.mail('mx.big.test', 'small.test');
  const answer = await house.ask('GET /metrics');
  expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
  const samples = samplesOf(answer.text);
  expect(samples.get('impetus_queue_messages{queue="active"}')).toBeDefined();
  expect(samples.get(`impetus_build_info{version="${version}"}`)).toBe(1);
  expect(samples.get('impetus_ready')).toBe(1);
  expect([...samples.keys()].filter((key) => key.includes('mx.big.test'))).toHaveLength(3);
  expect(answer.text).not.toContain('small.test');
  for (const path of ['/stats/summary', '/stats/queues/mailq']) {
    const same = await house.ask(`GET ${path}?format=prometheus`);
    expect([...samplesOf(same.text).keys()]).toEqual([...samples.keys()]);
  }
  await house.close();
});

test('a reload holds from the next request on, also on a connection that is open', async () => {
  const house = await House.open();
  const client = new HttpClient(house.world, undefined);
  client.says(request('GET /stats/summary'));
  await client.answers(100);
  await house.reload('Always_Deny = true');
  client.says(request('GET /stats/summary'));
  expect((await client.answers(100)).map(({ status }) => status)).toEqual([200, 403]);
  await house.close();
});

test('Listener_Sessions holds for HTTP, and a slot is free again when its client has gone', async () => {
  const house = await House.open('Peer "127.0.0.0/8" { Listener_Sessions = 1 }');
  const first = new HttpClient(house.world, undefined);
  await house.world.clock.advance(10);
  const second = new HttpClient(house.world, undefined);
  await house.world.clock.advance(10);
  expect([first.closed, second.closed]).toEqual([false, true]);
  first.pipe.destroy();
  await house.world.clock.advance(10);
  expect((await house.ask('GET /health')).status).toBe(200);
  await house.close();
});

test('impetus apikey makes a key that the running server takes, lists it with its last use, and ends it', async () => {
  const house = await House.open('Enable_Authentication = true');
  const run = async (...words: string[]) => {
    const process = simProcess();
    const code = await house.world.clock.until(
      runProgram(simShell(house.world, process), 'apikey', [...words, '-c', FILE]),
    );
    return { code, said: process.said, complained: process.complained };
  };
  const made = await run('create', '--label', 'reports', '--grant', 'stats/view');
  expect([made.code, made.complained]).toEqual([0, '']);
  expect(made.said).toMatch(/^[0-9a-f]{40}\n$/);
  const key = made.said.trim();
  await house.world.clock.advance(1000);
  expect((await house.ask(`GET /stats/summary\nAuthorization: ${key}`)).status).toBe(200);
  expect((await house.ask(`DELETE /stats/summary\nAuthorization: ${key}`)).status).toBe(403);
  expect((await run('list')).said).toMatch(/ {2}never +reports: stats\/view\n$/);
  await house.world.clock.advance(61_000);
  const [row] = JSON.parse((await run('list', '--json')).said);
  expect(row).toMatchObject({ label: 'reports', grants: ['stats/view'], valid_ips: [] });
  expect(row.last_used).toMatch(/^2026-03-03 10:00:0\d$/);
  expect(await run('revoke', 'reports')).toMatchObject({ code: 0, said: `revoked ${row.id} (reports)\n` });
  await house.world.clock.advance(1000);
  expect((await house.ask(`GET /stats/summary\nAuthorization: ${key}`)).status).toBe(401);
  expect((await run('revoke', 'reports')).code).toBe(1);
  expect((await run('create', '--label', 'x', '--grant', 'users/manage')).code).toBe(2);
  expect((await run('create', '--label', 'x', '--grant', 'stats/veiw')).complained).toContain(
    'did you mean stats/view?',
  );
  expect((await run('create')).code).toBe(2);
  expect((await run('lst')).complained).toContain("did you mean 'list'?");
  await house.close();
});

test('users log in by Basic and by Digest from the files that consoles use; a file that is not there lets nobody in', async () => {
  const basic = (user: string) => `Authorization: Basic ${Buffer.from(user).toString('base64')}`;
  const house = await House.open(
    'Enable_Authentication = true AuthPlainParameters = [ uri = "file:///users" ] ' +
      'AuthDigestMD5Parameters = [ uri = "file:///users" stored_cleartext = true ]',
  );
  const failed = await house.ask(`GET /metrics\n${basic('ann:se:cret')}`);
  expect(failed.status).toBe(503);
  house.world.disk.put('/users', 'ann:se:cret\n');
  await house.world.clock.advance(2000);
  expect((await house.ask(`GET /metrics\n${basic('ann:se:cret')}`)).status).toBe(200);
  expect((await house.ask(`GET /metrics\n${basic('ann:other')}`)).status).toBe(401);
  expect((await house.ask(`GET /metrics\n${basic('bob:se:cret')}`)).status).toBe(401);
  const asked = (await house.ask('GET /metrics')).headers['www-authenticate'] ?? '';
  expect(asked).toContain('Basic realm=');
  expect(asked).toContain('Digest ');
  const part = (name: string): string =>
    new RegExp(`${name}="([^"]*)"`).exec(asked.slice(asked.indexOf('Digest ')))?.[1] ?? '';
  const md5 = (text: string): string => hash('md5', text);
  const digest = (password: string): string => {
    const secret = md5(`ann:${part('realm')}:${password}`);
    const response = md5(`${secret}:${part('nonce')}:00000001:c:auth:${md5('GET:/metrics')}`);
    return `Authorization: Digest username="ann", realm="${part('realm')}", nonce="${part('nonce')}", uri="/metrics", qop=auth, nc=00000001, cnonce="c", response="${response}"`;
  };
  expect((await house.ask(`GET /metrics\n${digest('wrong')}`)).status).toBe(401);
  expect((await house.ask(`GET /metrics\n${digest('se:cret')}`)).status).toBe(200);
});
