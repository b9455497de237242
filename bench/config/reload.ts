import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { eventually, freePort, home } from '../../test/end-to-end/harness.ts';
import { holdingConfiguration } from '../load/holding.ts';
import { type Paced, paced } from '../load/paced.ts';
import { LeanSession, textOf } from '../load/session.ts';
import { ended, greets } from '../load/tools.ts';
import type { Figures } from './figures.ts';
import type { Lag } from './lag-probe.ts';
import { domains } from './questions.ts';

export interface ReloadWish {
  /** Domain stanzas. */
  readonly count: number;
  /** Domains that have mail waiting, each a pair of its own. */
  readonly pairs: number;
  /** Messages a second while it reloads. */
  readonly rate: number;
  readonly directory: string;
}

/** Milliseconds that the loop may be kept. */
const MOST_LAG = 50;
const ROUNDS = 3;
const run = promisify(execFile);

/**
 * A real server with so many stanzas and waiting messages takes mail while `config reload` is typed, three times: all
 * values change, nothing changes, as many stanzas are new.
 */
export async function reloads(figures: Figures, wish: ReloadWish): Promise<void> {
  mkdirSync(wish.directory, { recursive: true });
  const directory = mkdtempSync(join(resolve(wish.directory), 'impetus-reload-'));
  const port = await freePort();
  const file = join(directory, 'domains.conf');
  writeFileSync(join(directory, 'impetus.conf'), `${holdingConfiguration(directory, port)}include "domains.conf"\n`);
  mkdirSync(join(directory, 'log'));
  writeFileSync(file, domains(wish.count));
  const server = launch(directory);
  const leave = (): void => {
    server.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  };
  process.once('exit', leave);
  try {
    const began = performance.now();
    await eventually('the server greets', () => greets(port), 60_000);
    figures.add(`from the start of a server with ${wish.count} stanzas to its greeting`, since(began), 's');
    if (wish.pairs > 0) await fill(port, wish.pairs);
    // What the start and the filling have left behind may go.
    await slept(3000);
    const calm = await during(directory, port, wish, () => slept(4000));
    figures.add('loop kept at most, while mail comes in and nothing else happens', calm.lag.most, 'ms');
    figures.add('of that, its own work', calm.lag.work, 'ms');
    figures.add('reply to the dot then, p99', calm.mail.p99, 'ms');
    const changes: readonly [string, () => void][] = [
      ['every stanza changes', () => writeFileSync(file, domains(wish.count, 1))],
      ['no stanza changes', () => undefined],
      [
        'as many are new',
        () => writeFileSync(file, domains(wish.count, 1) + domains(wish.count).replaceAll('"d', '"n')),
      ],
    ];
    for (const [what, change] of changes) {
      const lags: Measured['lag'][] = [];
      let last: Measured | undefined;
      for (let round = 0; round < ROUNDS; round++) {
        if (round === 0) change();
        last = await during(directory, port, wish, () =>
          run(join(home, 'bin/ec_console'), [join(directory, 'control'), 'config', 'reload']),
        );
        lags.push(last.lag);
        // A second reload of the same changes nothing: only the first is of this kind.
        if (what !== 'no stanza changes') break;
      }
      if (!last) continue;
      figures.add(`reload, ${what}: it takes`, last.seconds, 's');
      figures.add(`reload, ${what}: loop kept at most`, Math.max(...lags.map(({ most }) => most)), 'ms', MOST_LAG);
      figures.add(`reload, ${what}: of that, its own work`, Math.max(...lags.map(({ work }) => work)), 'ms', MOST_LAG);
      figures.add(
        `reload, ${what}: longest collection of the young generation`,
        Math.max(...lags.map(({ young }) => young)),
        'ms',
      );
      figures.add(`reload, ${what}: longest collection of the old one`, Math.max(...lags.map(({ old }) => old)), 'ms');
      figures.add(`reload, ${what}: reply to the dot, p99`, last.mail.p99, 'ms');
      figures.add(`reload, ${what}: reply to the dot, longest`, last.mail.most, 'ms');
    }
    await ended(server, 'SIGTERM');
  } finally {
    process.removeListener('exit', leave);
    leave();
  }
}

interface Measured {
  readonly seconds: number;
  readonly lag: Omit<Lag, 'at'>;
  readonly mail: Paced;
}

/** Mail comes in from a second before to a second behind the work. */
async function during(
  directory: string,
  port: number,
  wish: ReloadWish,
  work: () => Promise<unknown>,
): Promise<Measured> {
  let over = false;
  const mail = paced({
    port,
    rate: wish.rate,
    seconds: 60,
    bytes: 2048,
    sessions: 20,
    once: false,
    enough: () => over,
  });
  await slept(1000);
  const from = Date.now();
  const began = performance.now();
  await work();
  const seconds = since(began);
  const to = Date.now() + 300;
  await slept(1000);
  over = true;
  const result = await mail;
  const lags = readFileSync(join(directory, 'lag'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Lag)
    .filter(({ at }) => at >= from && at <= to);
  return {
    seconds,
    mail: result,
    lag: {
      most: Math.max(...lags.map(({ most }) => most)),
      work: Math.max(...lags.map(({ work }) => work)),
      young: Math.max(...lags.map(({ young }) => young)),
      old: Math.max(...lags.map(({ old }) => old)),
    },
  };
}

function fill(port: number, pairs: number): Promise<void> {
  const text = textOf(512);
  let begun = 0;
  let taken = 0;
  const envelope = (): string => `MAIL FROM:<a@src.test>\r\nRCPT TO:<b@d${begun++}.example>\r\nDATA\r\n`;
  return new Promise((settle, reject) => {
    for (let session = 0; session < Math.min(50, pairs); session++) {
      new LeanSession(port, {
        greeted: (each) => each.envelope(envelope()),
        ready: (each) => each.text(text, begun < pairs ? envelope() : undefined),
        taken: (each) => {
          if (++taken === pairs) settle();
          if (!each.busy) each.quit();
        },
        over: (_, why) => reject(why),
      });
    }
  });
}

function launch(directory: string): ChildProcess {
  const output = openSync(join(directory, 'output'), 'a');
  const probe = `--import=${pathToFileURL(join(home, 'bench/config/lag-probe.ts')).href}`;
  const child = spawn(join(home, 'bin/impetus'), ['start', '-c', join(directory, 'impetus.conf')], {
    stdio: ['ignore', output, output],
    cwd: directory,
    env: {
      ...process.env,
      NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} ${probe}`,
      IMPETUS_LAG_FILE: join(directory, 'lag'),
    },
  });
  closeSync(output);
  child.on('exit', (code) => {
    if (code !== null && code !== 0) console.error(readFileSync(join(directory, 'output'), 'utf8').slice(-2000));
  });
  return child;
}

function since(began: number): number {
  return (performance.now() - began) / 1000;
}

function slept(millis: number): Promise<void> {
  return new Promise((settle) => {
    setTimeout(settle, millis);
  });
}
