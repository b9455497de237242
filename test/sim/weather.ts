import { millis } from '../../src/base/index.ts';
import { type DiskOperation, type SimDisk, type SimDnsTwist, withCode } from '../../src/world/sim/index.ts';
import { SLOWNESS } from './crashes.ts';
import type { Dice } from './dice.ts';
import type { Mood } from './peers/habits.ts';
import { SPOOL } from './places.ts';
import type { Plan } from './plan.ts';
import type { SimulatedServer } from './server.ts';
import { sleep } from './sleep.ts';
import type { Town } from './town.ts';

interface WeatherParts {
  readonly town: Town;
  readonly plan: Plan;
  readonly dice: Dice;
  readonly server: SimulatedServer;
}

const MOODS: Readonly<Record<'good' | 'moody' | 'evil', Readonly<Partial<Record<Mood, number>>>>> = {
  good: { good: 1 },
  moody: { good: 4, flaky: 3, busy: 1, strict: 1, sluggish: 1, forgetful: 1, refusing: 1, silent: 0.5 },
  evil: { good: 1, flaky: 2, evil: 4, busy: 1, strict: 1, forgetful: 2, refusing: 1, silent: 1 },
};

/** Everything that goes wrong outside the server, and its deaths; until `clear`. */
export class Weather {
  readonly #parts: WeatherParts;
  #clear = false;
  /** What is wrong now and can be put right. */
  readonly #repairs = new Set<() => void>();

  constructor(parts: WeatherParts) {
    this.#parts = parts;
  }

  begin(): void {
    const { troubles, duration } = this.#parts.plan;
    for (const exchanger of this.#parts.town.exchangers) {
      this.#every(duration / 3, () => exchanger.turn(this.#mood()));
      exchanger.turn(this.#mood());
    }
    if (troubles.network) this.#every(duration / 12, () => this.#breakLink());
    if (troubles.network) this.#every(duration / 3, () => this.#slowNetwork());
    if (troubles.names) this.#every(duration / 3, () => this.#breakNames());
    if (troubles.diskFaults) this.#every(duration / 6, () => this.#breakDisk());
    if (troubles.diskFull) this.#every(duration / 3, () => this.#fillDisk());
    if (troubles.diskSlow) this.#every(duration / 3, () => this.#slowDisk());
    if (troubles.kills) this.#every(duration / 3, () => this.#crash('killed'));
    if (troubles.powerCuts) this.#every(duration / 3, () => this.#crash('power cut'));
  }

  /** From now on nothing goes wrong any more. */
  clear(): void {
    this.#clear = true;
    const { town, server } = this.#parts;
    for (const exchanger of town.exchangers) exchanger.turn('good');
    for (const repair of [...this.#repairs]) repair();
    server.doomedIn = undefined;
  }

  /** Something has just happened that the disk does not know yet: some deaths come now. */
  critical(): void {
    const { dice, server, plan } = this.#parts;
    const { kills, powerCuts } = plan.troubles;
    if (this.#clear || !(kills || powerCuts) || !dice.happens(0.03)) return;
    const how = kills && (!powerCuts || dice.happens(0.5)) ? 'killed' : 'power cut';
    server.doomedIn ??= { left: dice.between(0, 4), how };
  }

  #mood(): Mood {
    return this.#parts.dice.weighted(MOODS[this.#parts.plan.troubles.peers] as Record<Mood, number>);
  }

  /** Again and again, at random times with that mean between them. */
  #every(mean: number, act: () => void): void {
    const { clock } = this.#parts.town;
    const dice = this.#parts.dice.fork();
    const next = (): void => {
      clock.at(millis(clock.now() + dice.within(0, 2 * mean)), () => {
        if (this.#clear) return;
        act();
        next();
      });
    };
    next();
  }

  /** @param undo is run once: after a while, or when the weather clears */
  #forAWhile(undo: () => void): void {
    const { clock } = this.#parts.town;
    const repair = (): void => {
      if (this.#repairs.delete(repair)) undo();
    };
    this.#repairs.add(repair);
    clock.at(millis(clock.now() + this.#parts.dice.scale(200, this.#parts.plan.duration / 3)), repair);
  }

  #breakLink(): void {
    const { town, dice } = this.#parts;
    const pipes = [...town.network.pipes];
    if (pipes.length === 0) return;
    const pipe = dice.of(pipes);
    const how = dice.of(['reset', 'cut', 'muted']);
    town.note('weather', `connection with ${pipe.remote.ip}:${pipe.remote.port} ${how}`);
    if (how === 'reset') town.network.reset(pipe);
    else if (how === 'cut') pipe.cut();
    else pipe.mute();
  }

  #slowNetwork(): void {
    const { town, dice, plan } = this.#parts;
    const { settings } = town.network;
    settings.latencyMillis = [10, dice.scale(100, 8000)];
    settings.datagramLoss = dice.of([0, 0.3]);
    town.note('weather', `the network is slow: up to ${settings.latencyMillis[1]} ms`);
    this.#forAWhile(() => {
      settings.latencyMillis = plan.network.latencyMillis;
      settings.datagramLoss = 0;
    });
  }

  #breakNames(): void {
    const { town, dice } = this.#parts;
    const how = dice.of(['silent', 'failing', 'slow', 'truncated', 'garbled', 'denying', 'foreign', 'refusing']);
    town.note('weather', `the name server is ${how}`);
    town.names.twist = twist(how, dice);
    const key = `${town.names.at.ip}:${town.names.at.port}`;
    // Only the names of one domain, most of the time.
    const victim = dice.happens(0.6) ? dice.of(this.#parts.plan.domains).name : '';
    const whole = town.names.twist;
    town.names.twist = (answer, query) => (query.name.toLowerCase().endsWith(victim) ? whole(answer, query) : [answer]);
    if (how === 'silent' && victim === '') town.network.silence(key);
    this.#forAWhile(() => {
      town.names.twist = (answer) => [answer];
      town.network.heal(key);
    });
  }

  #breakDisk(): void {
    const { dice, server } = this.#parts;
    const operation = dice.of(['sync', 'sync', 'write', 'open', 'read', 'syncDirectory', 'remove'] as const);
    const times = dice.happens(0.6) ? 1 : dice.between(2, 6);
    const path = dice.happens(0.85) ? SPOOL : '/log';
    this.#parts.town.note('weather', `${times} times ${operation} fails in ${path}`);
    this.#fault(server.disk, operation, path, times);
  }

  #fault(disk: SimDisk, operation: DiskOperation, path: string, times: number): void {
    const fault = disk.fail({ operation, path, times }, 'EIO');
    this.#forAWhile(() => fault[Symbol.dispose]());
  }

  #fillDisk(): void {
    const { server, dice, town } = this.#parts;
    const room = dice.scale(100, 100_000);
    server.disk.settings.capacity = used(server.disk) + room;
    town.note('weather', `the disk has ${room} bytes left`);
    this.#forAWhile(() => {
      // By then a crash may have given the server another disk.
      server.disk.settings.capacity = Number.POSITIVE_INFINITY;
    });
  }

  #slowDisk(): void {
    const { server, plan, town } = this.#parts;
    const slower = (setting: number | readonly [number, number]): number | readonly [number, number] =>
      typeof setting === 'number' ? setting * SLOWNESS : [setting[0], setting[1] * SLOWNESS];
    const { latencyMillis, shortMillis } = plan.disk;
    Object.assign(server.disk.settings, { latencyMillis: slower(latencyMillis), shortMillis: slower(shortMillis) });
    town.note('weather', 'the disk is slow');
    this.#forAWhile(() => Object.assign(server.disk.settings, { latencyMillis, shortMillis }));
  }

  /** Now, or in front of one of the next operations of its disk. */
  #crash(how: 'killed' | 'power cut'): void {
    const { dice, server } = this.#parts;
    if (dice.happens(0.3)) server.crash(how);
    else server.doomedIn ??= { left: dice.scale(1, 60), how };
  }
}

/** Starts the server, and starts it again whenever it has ended, as a service manager would. */
export async function keepAlive(town: Town, server: SimulatedServer, dice: Dice): Promise<void> {
  while (!server.retired) {
    server.start();
    while (server.machine !== undefined) await sleep(town.clock, 250);
    await sleep(town.clock, dice.scale(50, 20_000));
  }
}

function used(disk: SimDisk): number {
  return disk.files().reduce((sum, path) => sum + (disk.text(path)?.length ?? 0), 0);
}

function twist(how: string, dice: Dice): SimDnsTwist {
  switch (how) {
    case 'failing':
      return (answer) => [withCode({ ...answer, answers: [] }, 2)];
    case 'refusing':
      return (answer) => [withCode({ ...answer, answers: [] }, 5)];
    case 'denying':
      return (answer) => [withCode({ ...answer, answers: [] }, 3)];
    case 'slow':
      return (answer) => (dice.happens(0.6) ? [] : [answer]);
    case 'truncated':
      return (answer, query) => [
        query.by === 'udp' ? { ...answer, flags: (answer.flags ?? 0) | 0x200, answers: [] } : answer,
      ];
    case 'garbled':
      return () => [Buffer.from('this is no answer of any kind')];
    case 'foreign':
      // Answers to questions that nobody asked, then the right one.
      return (answer) => [{ ...answer, id: ((answer.id ?? 0) + 1) & 0xffff }, { ...answer, questions: [] }, answer];
    default:
      return () => [];
  }
}
