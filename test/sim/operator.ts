import { QUIETLY } from './checkers/fates.ts';
import { type Changes, configurationText, NO_CHANGES } from './configuration.ts';
import type { Dice } from './dice.ts';
import { Console } from './peers/console.ts';
import { CONFIGURATION } from './places.ts';
import type { Plan } from './plan.ts';
import type { Records, Track } from './records.ts';
import type { SimulatedServer } from './server.ts';
import { sleep } from './sleep.ts';
import type { Town } from './town.ts';
import type { Violations } from './violations.ts';

interface OperatorParts {
  readonly town: Town;
  readonly plan: Plan;
  readonly dice: Dice;
  readonly records: Records;
  readonly server: SimulatedServer;
  readonly violations: Violations;
}

const LOOKS = [
  'ledger',
  'summary',
  'mailq',
  'show outbound',
  'show inbound',
  'binding summary',
  'version',
  'sysinfo',
  'config show',
  'dns_cache stats',
] as const;

/** Somebody at a console, and in the configuration file, while mail flows. */
export class Operator {
  readonly #parts: OperatorParts;
  #done = false;

  constructor(parts: OperatorParts) {
    this.#parts = parts;
  }

  /** Goes to work until `leave`. */
  async work(): Promise<void> {
    const { town, plan, dice } = this.#parts;
    const pause = dice.scale(500, plan.duration / 3);
    while (!this.#done) {
      await sleep(town.clock, dice.within(0, 2 * pause));
      if (this.#done) return;
      await this.#act();
    }
  }

  /** Puts everything back as the plan has it, and goes home. */
  async leave(): Promise<void> {
    this.#done = true;
    for (;;) {
      this.#write(NO_CHANGES);
      if (this.#parts.server.running === undefined) await sleep(this.#parts.town.clock, 1000);
      else if ((await this.#say('reload'))?.code === 0) return;
      else await sleep(this.#parts.town.clock, 1000);
    }
  }

  async #act(): Promise<void> {
    const { dice, plan, server } = this.#parts;
    const domain = dice.of(plan.domains).name;
    const track = this.#someTrack();
    const act = dice.weighted({
      look: 4,
      explain: 3,
      flush: 3,
      'fail domain': 0.7,
      'retry message': track === undefined ? 0 : 2,
      'fail message': track === undefined ? 0 : 1,
      configure: 4,
      reload: 2,
      'bad reload': 1,
      'signal reload': 1,
      shutdown: plan.troubles.restarts ? 1.5 : 0,
    });
    switch (act) {
      case 'look': {
        const line = dice.of(LOOKS);
        this.#mustWork(line, await this.#say(line));
        return;
      }
      case 'explain':
        if (track?.messageId !== undefined && dice.happens(0.5)) await this.#explain(track.messageId);
        else await this.#say(`explain default ${domain}`);
        return;
      case 'flush':
        return this.#flush(dice.happens(0.3) ? 'all' : domain);
      case 'fail domain':
        await this.#say(
          dice.happens(0.5) ? `fail domain ${domain}` : `fail domain quiet ${domain} 550 5.7.1 ${QUIETLY}`,
        );
        return;
      case 'retry message':
        if (track?.messageId === undefined) return;
        await this.#flushing([track], `message retry ${track.messageId}`);
        return;
      case 'fail message':
        if (track?.messageId === undefined) return;
        track.quiet = dice.happens(0.5);
        await this.#say(`message fail ${track.quiet ? 'quiet ' : ''}${track.messageId}`);
        track.quiet = false;
        return;
      case 'configure':
        return this.#configure(domain);
      case 'reload':
        this.#write(this.#changes(domain));
        await this.#say('reload');
        return;
      case 'bad reload': {
        server.misconfigured = true;
        server.disk.put(CONFIGURATION, 'Retry_Interval = soon\n');
        const said = await this.#say('reload');
        server.misconfigured = false;
        if (said?.code === 0 && !this.#done)
          this.#parts.violations.report('console', 'a configuration that is wrong was taken');
        this.#write(NO_CHANGES);
        return;
      }
      case 'signal reload':
        this.#write(this.#changes(domain));
        server.running?.server.reload().catch(() => undefined);
        return;
      case 'shutdown':
        await this.#say('shutdown');
        return;
    }
  }

  /** A message that waits has a gate, and the console names it. */
  async #explain(id: string): Promise<void> {
    const said = await this.#say(`explain ${id}`);
    if (said?.code === 0 && !said.text.includes('gate: '))
      this.#parts.violations.report('explain', `no gate for ${id}: ${said.text}`);
  }

  async #flush(domain: string): Promise<void> {
    const concerned = (): readonly Track[] =>
      [...this.#parts.records.all()].filter((track) => domain === 'all' || track.domain === domain);
    await this.#flushing(concerned(), `flush domain ${domain}`);
    // What came in while the console was slow was flushed as well.
    for (const track of concerned()) track.flushedAt = this.#parts.town.clock.now();
  }

  /** An order that makes messages due; nobody outside knows when exactly it takes effect. */
  async #flushing(tracks: readonly Track[], order: string): Promise<void> {
    for (const track of tracks) track.flushing++;
    await this.#say(order);
    for (const track of tracks) {
      track.flushing--;
      track.flushedAt = this.#parts.town.clock.now();
    }
  }

  /** One transaction at the console. */
  async #configure(domain: string): Promise<void> {
    const { dice, town } = this.#parts;
    const console = new Console(town.clock, town.network);
    const lines = ['config begin', ...this.#sets(domain), dice.happens(0.8) ? 'config commit' : 'config rollback'];
    for (const line of lines) {
      const said = await console.run(line);
      if (said !== undefined) town.note('operator', `${line}: ${said.text.trim().split('\n')[0]}`);
      if (said === undefined || said.code !== 0) break;
      await sleep(town.clock, dice.within(0, 500));
    }
    console.close();
  }

  #sets(domain: string): readonly string[] {
    const { options, domains } = this.#changes(domain);
    return [
      ...Object.entries(options).map(([name, value]) => `config set ${name} = ${value}`),
      ...[...domains].flatMap(([at, own]) =>
        Object.entries(own).map(([name, value]) => `config set domain ${at} ${name} = ${value}`),
      ),
    ];
  }

  #changes(domain: string): Changes {
    const { dice } = this.#parts;
    const own: Record<string, string> = {};
    if (dice.happens(0.5)) own.Max_Outbound_Connections = String(dice.between(1, 5));
    if (dice.happens(0.3)) own.Suspend_Delivery = String(dice.happens(0.5));
    if (dice.happens(0.3)) own.Outbound_Throttle_Messages = `"${dice.between(1, 10)}/${dice.of([1, 5, 20])}"`;
    if (dice.happens(0.2)) own.Outbound_Throttle_Connections = `"${dice.between(1, 5)}/${dice.of([1, 5])}"`;
    if (dice.happens(0.2)) own.Retry_Interval = String(dice.between(2, 60));
    if (dice.happens(0.2)) own.Max_Deliveries_Per_Connection = String(dice.between(1, 6));
    const global: Record<string, string> = {};
    if (dice.happens(0.2)) global.Server_Max_Outbound_Connections = String(dice.between(1, 10));
    if (dice.happens(0.2)) global.Max_Retry_Interval = String(dice.between(20, 120));
    if (dice.happens(0.2)) global.Max_Resident_Messages = String(dice.between(1, 50));
    return { options: global, domains: new Map([[domain, own]]) };
  }

  #write(changes: Changes): void {
    this.#parts.server.disk.put(CONFIGURATION, configurationText(this.#parts.plan, changes));
  }

  async #say(line: string): Promise<{ readonly text: string; readonly code: number } | undefined> {
    const { town } = this.#parts;
    const console = new Console(town.clock, town.network);
    const said = await console.run(line);
    console.close();
    const first = said === undefined ? 'no answer' : `${said.code} ${said.text.trim().split('\n').at(0) ?? ''}`;
    town.note('operator', `${line}: ${first}`);
    return said;
  }

  #mustWork(line: string, said: { readonly text: string; readonly code: number } | undefined): void {
    if (said !== undefined && said.code !== 0)
      this.#parts.violations.report('console', `${line} ended with ${said.code}: ${said.text}`);
  }

  /** A message that is not finished, as far as the server has said. */
  #someTrack(): Track | undefined {
    const open = [...this.#parts.records.all()].filter(
      (track) => track.messageId !== undefined && track.finals.length === 0,
    );
    return open.length === 0 ? undefined : this.#parts.dice.of(open);
  }
}
