import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cpu, Group } from './group.ts';
import { type Mta, start } from './mta.ts';
import type { Ground } from './round.ts';
import { Load, type LoadReport } from './smtp.ts';
import { planOf } from './smtp-plan.ts';
import { variant } from './variant.ts';

/** A load on a fresh server, and what it cost the server. */
export interface Trial {
  readonly report: LoadReport;
  /** Milliseconds of processor time a message; of connections without mail, a connection. */
  readonly cpu: number;
  /** Of that, what would have been spent without the load: on clients that were there before. */
  readonly besides: number;
  /** Messages, or connections without mail, a second. */
  readonly rate: number;
}

/** Seconds of load before anything is measured. */
const WARM = 3;

const slept = (millis: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, millis));
const spent = ({ user, system }: Cpu): number => user + system;

export function launch(port: number, words: readonly string[]): Load {
  const plan = planOf([`127.0.0.1:${port}`, ...words]);
  if (plan === 'help') throw new Error('help is no load');
  return new Load(plan);
}

/** A load on a fresh server. */
export async function trial(ground: Ground, mta: Mta, words: readonly string[]): Promise<Trial> {
  try {
    const port = await start(mta, ground.fresh(), 0, 'hold', ground.server);
    await warmed([port], words);
    return await measured(ground.server, port, words, 0);
  } finally {
    await ground.server.end();
  }
}

/** Clients that are there all the time: their load, and how many of them. */
export interface Crowd {
  readonly words: readonly string[];
  readonly connections: number;
}

/**
 * The same load on two servers at the same time: whatever else happens on this machine happens to both.
 *
 * @param crowd  at the second one
 */
export async function sideBySide(
  ground: Ground,
  mtas: readonly [Mta, Mta],
  words: readonly string[],
  crowd?: Crowd,
): Promise<readonly [Trial, Trial]> {
  const [one, other] = [ground.server, ground.other];
  let others: Load | undefined;
  try {
    const folder = ground.fresh();
    const ports: number[] = [];
    for (const [mta, group, name] of [[mtas[0], one, 'one'] as const, [mtas[1], other, 'other'] as const]) {
      const directory = join(folder, name);
      mkdirSync(directory);
      ports.push(await start(mta, directory, 0, 'hold', group));
    }
    const [first = 0, second = 0] = ports;
    if (crowd !== undefined) {
      others = launch(second, crowd.words);
      await reached(others, crowd.connections);
    }
    await warmed(ports, words);
    const besides = crowd === undefined ? 0 : await atRest(other, 3000);
    return await Promise.all([measured(one, first, words, 0), measured(other, second, words, besides)]);
  } finally {
    others?.end();
    await others?.report;
    await one.end();
    await other.end();
  }
}

/** The first messages of a new process are no measure: its code is not compiled yet. */
async function warmed(ports: readonly number[], words: readonly string[]): Promise<void> {
  await Promise.all(ports.map((port) => launch(port, [...words, '--seconds', String(WARM)]).report));
}

async function measured(group: Group, port: number, words: readonly string[], besides: number): Promise<Trial> {
  const began = spent(group.cpu);
  const report = await launch(port, words).report;
  const cpu = spent(group.cpu) - began;
  const trouble = Object.keys(report.errors)[0] ?? Object.keys(report.refused)[0];
  if (trouble !== undefined) throw new Error(`the load met ${trouble}`);
  const count = words.includes('--no-mail') ? report.connections : report.accepted;
  return {
    report,
    cpu: (cpu * 1000) / count,
    besides: (besides * report.seconds * 1000) / count,
    rate: count / report.seconds,
  };
}

/** Seconds of processor time a second while no load runs. */
async function atRest(group: Group, millis: number): Promise<number> {
  const before = spent(group.cpu);
  const began = performance.now();
  await slept(millis);
  return ((spent(group.cpu) - before) * 1000) / (performance.now() - began);
}

async function reached(load: Load, connections: number): Promise<void> {
  const ends = performance.now() + 60_000;
  while (load.tally.connections < connections) {
    if (performance.now() > ends) throw new Error(`only ${load.tally.connections} of ${connections} connections`);
    await slept(100);
  }
  await slept(1000);
}

/** Resident memory of an idle server, and with so many connections that say nothing; bytes. */
export async function idleMemory(
  ground: Ground,
  mta: Mta,
  connections: number,
): Promise<{ readonly without: number; readonly with: number }> {
  try {
    const port = await start(mta, ground.fresh(), 0, 'hold', ground.server);
    await slept(1000);
    const without = ground.server.memory.resident;
    const seconds = '300';
    const others = launch(port, ['--hostile', 'idle', '--sessions', String(connections), '--seconds', seconds]);
    await reached(others, connections);
    await slept(2000);
    const withThem = ground.server.memory.resident;
    others.end();
    await others.report;
    return { without, with: withThem };
  } finally {
    await ground.server.end();
  }
}

/** A listener with so many Peer stanzas, none of which is that of the load, and caps on sessions. */
export function guarded(peers: number): Mta {
  const stanzas = Array.from(
    { length: peers },
    (_, i) => `  Peer "10.${i >> 8}.${i & 255}.0/24" { Listener_Sessions = 20  Max_Message_Size = ${1_000_000 + i} }`,
  );
  const hosts = Array.from({ length: peers }, (_, i) => `172.16.${i >> 8}.${i & 255}`).join(' ');
  return variant(
    'guarded',
    `Listener_Sessions = 1000  Service_Sessions = 2000
  Peer "127.0.0.0/8" { Listener_Sessions = 900  Relay_Hosts = ( 127.0.0.0/8 ${hosts} ) }
${stanzas.join('\n')}`,
  );
}

export const plain = variant('plain', '');

/** A key and a certificate that nobody has signed, gone with the object. */
export class Certificate implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'impetus-bench-'));
  readonly cert = join(this.#folder, 'cert.pem');
  readonly key = join(this.#folder, 'key.pem');

  constructor(kind: KeyKind) {
    const algorithm = kind === 'rsa2048' ? ['rsa:2048'] : ['ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
    const words = ['req', '-x509', '-newkey', ...algorithm, '-nodes', '-days', '30', '-subj', '/CN=localhost'];
    execFileSync('openssl', [...words, '-keyout', this.key, '-out', this.cert], { stdio: 'ignore' });
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

export type KeyKind = 'rsa2048' | 'ecdsap256';

/** Signatures a second of one core. */
export function signatures(kind: KeyKind): number {
  const text = execFileSync('openssl', ['speed', '-seconds', '2', '-mr', kind], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  // `+F2:` of RSA, `+F4:` of ECDSA, each with a number, bits, and what a signature costs: before OpenSSL 3 in seconds, since
  // then as so many a second.
  const cost = Number(/^\+F[24]:\d+:\d+:([0-9.e-]+):/m.exec(text)?.[1]);
  if (!(cost > 0)) throw new Error(`openssl speed ${kind} gave no figure`);
  return cost < 1 ? 1 / cost : cost;
}

export const encrypted = (certificate: Certificate): Mta =>
  variant(
    'TLS',
    `TLS_Certificate = "${certificate.cert}"  TLS_Key = "${certificate.key}"  SMTP_Extensions = ( STARTTLS )`,
  );

/** Whether the server offers STARTTLS with that configuration. */
export async function offersTls(ground: Ground, mta: Mta): Promise<boolean> {
  try {
    const port = await start(mta, ground.fresh(), 0, 'hold', ground.server);
    return (await keywords(port)).includes('STARTTLS');
  } finally {
    await ground.server.end();
  }
}

function keywords(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = createConnection(port, '127.0.0.1', () => socket.write('EHLO load.test\r\nQUIT\r\n'));
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', reject).on('close', () => resolve(text));
  });
}
