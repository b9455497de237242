import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Client } from './client.ts';
import { type Ended, eventually, freePort, home, Running, run, Scratch } from './harness.ts';

/** The sample of a bulk sender, copied to a folder of its own with ports of its own, and a server that runs with it. */
class BulkSender implements AsyncDisposable {
  readonly folder: string;
  readonly etc: string;
  readonly #ports: readonly number[];
  #server: Running | undefined;

  private constructor(folder: string, ports: readonly number[]) {
    this.folder = folder;
    this.etc = join(folder, 'etc');
    this.#ports = ports;
    mkdirSync(join(folder, 'log'));
    cpSync(join(home, 'etc/bulk-sender'), this.etc, { recursive: true });
    for (const name of readdirSync(this.etc, { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.conf')) continue;
      this.edit(name, (text) =>
        text
          .replaceAll('/srv/bulk', folder)
          .replace(/127\.0\.0\.1:252([567])/g, (_, digit: string) => `127.0.0.1:${ports[Number(digit) - 5]}`)
          .replace('127.0.0.1:2081', `127.0.0.1:${ports[3]}`),
      );
    }
  }

  static async in(folder: string): Promise<BulkSender> {
    return new BulkSender(folder, [await freePort(), await freePort(), await freePort(), await freePort()]);
  }

  port(index: number): number {
    return this.#ports[index] ?? 0;
  }

  get main(): string {
    return join(this.etc, 'impetus.conf');
  }

  text(name: string): string {
    return readFileSync(join(this.etc, name), 'utf8');
  }

  edit(name: string, change: (text: string) => string): void {
    writeFileSync(join(this.etc, name), change(this.text(name)));
  }

  async start(): Promise<void> {
    const server = new Running(join(home, 'bin/impetus'), ['start', '-c', this.main]);
    this.#server = server;
    await eventually('the server is ready', () => {
      if (server.over) throw new Error(server.errors + server.output);
      return server.output.includes('is ready');
    });
  }

  async stop(): Promise<Ended> {
    const server = this.#server;
    if (server === undefined) throw new Error('it does not run');
    server.signal('SIGTERM');
    return server.ended;
  }

  /** Commands of one console, in batch; its output. */
  async console(...lines: readonly string[]): Promise<string> {
    const { output, errors } = await run(
      'ec_console',
      [join(this.folder, 'control')],
      lines.map((line) => `${line}\n`).join(''),
    );
    return (output + errors).replaceAll(this.folder, '…');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
  }
}

const greeting = async (port: number): Promise<boolean> => {
  try {
    await using _client = await Client.connect(port);
    return true;
  } catch {
    return false;
  }
};

test('the configuration of a bulk sender, from the check to the files again', { timeout: 120_000 }, async () => {
  using scratch = new Scratch();
  await using bulk = await BulkSender.in(scratch.path);

  // Checked: nothing to complain of, even for the pedantic, and all of it implemented.
  const checked = await run('impetus', ['check', '--pedantic', '--warnings-as-errors', '-c', bulk.main]);
  expect(checked).toMatchObject({ code: 0, output: 'Configuration valid\n', errors: '' });
  const coverage = await run('impetus', ['check', '--coverage', '-c', bulk.main]);
  expect(coverage.output).toMatch(/sets (\d+) options, (?:all|\1) of them are implemented/);

  await bulk.start();
  expect(Number(readFileSync(join(bulk.folder, 'impetus.pid'), 'latin1'))).toBeGreaterThan(0);
  expect(await greeting(bulk.port(1))).toBe(true);

  // Explained: the value, its place, and every level that was asked.
  const why = await bulk.console(
    'config explain binding_group bulk binding bulk-4 domain gmail.com outbound_throttle_messages',
  );
  expect(why).toContain('Outbound_Throttle_Messages = "1200/60"\n  from Binding_Group "bulk" Binding "bulk-4"');
  expect(why).toMatch(/etc\/bindings\.conf:\d+:\d+/);
  expect(why).toContain('Domain "gmail.com"                                        "3000/60"');

  // Changed online; the customers' door closes, the others are not touched.
  await using client = await Client.connect(bulk.port(0));
  expect(
    await bulk.console(
      'config set domain gmail.com max_outbound_connections 60',
      `config set esmtp_listener listen 127.0.0.1:${bulk.port(1)} enable false`,
    ),
  ).toBe('Max_Outbound_Connections = 60\nEnable = false\n');
  expect(await greeting(bulk.port(1))).toBe(false);
  expect(await client.says('NOOP')).toMatch(/^250/);

  // Written back: comments and order stay, and only what was changed is different.
  const before = bulk.text('domains/google.conf');
  const wrote = await bulk.console('config writeback');
  expect(wrote).toContain('…/etc/domains/google.conf: 1 change written');
  expect(wrote).toContain('…/etc/listeners.conf: 1 change written');
  expect(bulk.text('domains/google.conf')).toBe(before.replace('Connections = 40', 'Connections = 60'));
  expect(await bulk.console('config diff --disk')).toBe('No differences.\n');

  // Back to the beginning, and what a reload would do now.
  expect(await bulk.console('config rollback to 1')).toBe('Generation 1 is live again, as generation 4.\n');
  expect(await greeting(bulk.port(1))).toBe(true);
  const plan = await bulk.console('config plan');
  expect(plan).toContain('~ Domain "gmail.com" Max_Outbound_Connections = 60  # was 40');
  expect(plan).toContain(`closed      ESMTP_Listener 127.0.0.1:${bulk.port(1)}`);
  expect(await greeting(bulk.port(1))).toBe(true);

  // From an address to the wildcard and back, one reload each.
  const [specific, wildcard] = [`Listen "127.0.0.1:${bulk.port(0)}"`, `Listen "*:${bulk.port(0)}"`];
  bulk.edit('listeners.conf', (text) => text.replace(specific, wildcard));
  expect(await bulk.console('config reload')).toBe('Configuration reloaded, generation 5.\n');
  expect(await bulk.console('config plan')).toContain('Listeners: all 4 are kept');
  bulk.edit('listeners.conf', (text) => text.replace(wildcard, specific));
  expect(await bulk.console('config reload')).toBe('Configuration reloaded, generation 6.\n');
  expect(await greeting(bulk.port(0))).toBe(true);

  // A mistake changes nothing.
  bulk.edit('modules.conf', (text) => `${text}Retry_Intervall = 5\n`);
  const refused = await bulk.console('config reload');
  expect(refused).toContain("CFG-07961 No module provides capability 'config.Global:retry_intervall'.");
  expect(refused).toMatch(/Reconfigure failed\.\n$/);
  bulk.edit('modules.conf', (text) => text.replace('Retry_Intervall = 5\n', ''));

  // A transaction: a new binding has no file that is writable and holds it, so it goes to the local changes.
  const committed = await bulk.console(
    'config begin',
    'config set binding_group bulk retry_interval 15m',
    'config set binding_group bulk binding bulk-5 bind_address 127.0.0.25',
    'config replay',
    'config commit',
    'config writeback',
  );
  expect(committed).toContain('Committed, generation 7.');
  expect(bulk.text('bindings.conf')).toContain('Retry_Interval = 15m');
  expect(bulk.text('local.conf')).toBe(
    'Binding_Group "bulk" {\n  Binding "bulk-5" {\n    Bind_Address = 127.0.0.25\n  }\n}\n',
  );

  // The next start finds what was live.
  const live = await bulk.console('write config');
  expect((await bulk.stop()).code).toBe(0);
  await bulk.start();
  const again = await bulk.console('write config');
  expect(again.split('\n').sort()).toEqual(live.split('\n').sort());
  expect((await bulk.stop()).code).toBe(0);
});
