/**
 * How much faster does mail of 2 KB come in by ECStream than by SMTP, both durable, into the same server?
 * Run: npm run build && node bench/ecstream.ts [--messages N] [--rounds N] [--directory DIR]
 *
 * Rounds are paired: SMTP over 50 sessions that pipeline, then ECStream over 2 connections, into one running server that
 * queues and does not deliver; the figures are medians. The load has a process of its own, so that it is the server that is
 * measured. Server CPU is of all its threads.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ecstream } from '../src/ecstream-client/index.ts';
import { eventually, freePort, home, listens, Running } from '../test/end-to-end/harness.ts';
import { fileSystem, introduce } from './load/machine.ts';

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '20000' },
    rounds: { type: 'string', default: '7' },
    directory: { type: 'string', default: tmpdir() },
  },
});
const messages = Number(values.messages);
const rounds = Number(values.rounds);
const SESSIONS = 50;
const CONNECTIONS = 2;
const BYTES = 2048;

introduce(`ECStream beside SMTP: ${rounds} rounds of ${messages} messages of ${BYTES} bytes, durable`);
const directory = mkdtempSync(join(values.directory, 'impetus-ecstream-'));
console.log(`${fileSystem(directory)}\n`);
const [smtpPort, streamPort] = [await freePort(), await freePort()];
const file = join(directory, 'impetus.conf');
writeFileSync(
  file,
  `
Spoolbase = "${directory}/spool"
Relay_Hosts = ( 127.0.0.0/8 )
Suspend_Delivery = true
ESMTP_Listener { Listen "127.0.0.1:${smtpPort}" { } }
ECStream_Listener { Listen "127.0.0.1:${streamPort}" { } }
Control_Listener { Listen "${directory}/control" { } }
ec_logger { mainlog = "${directory}/mainlog.ec" }
`,
);
const header = 'From: <sender@example.com>\r\nTo: <recipient@example.org>\r\nSubject: bench\r\n\r\n';
const line = `${'x'.repeat(76)}\r\n`;
const text = header + line.repeat(Math.floor((BYTES - header.length) / line.length));
const body = Buffer.from(`${text.padEnd(BYTES - 2, 'y')}\r\n`);

const server = new Running(join(home, 'bin/impetus'), ['start', '-c', file]);
try {
  await eventually('the server is up', () => listens(smtpPort));
  const ratios: number[] = [];
  const rates = { smtp: [] as number[], ecstream: [] as number[] };
  await smtp(messages / 5);
  await stream(messages / 5);
  for (let round = 1; round <= rounds; round++) {
    const one = await measured(() => smtp(messages));
    const other = await measured(() => stream(messages));
    rates.smtp.push(one.rate);
    rates.ecstream.push(other.rate);
    ratios.push(other.rate / one.rate);
    console.log(
      `${round}: SMTP ${inWords(one)}; ECStream ${inWords(other)}; ${(other.rate / one.rate).toFixed(2)} times`,
    );
  }
  const ratio = median(ratios);
  console.log(
    `\nmedian: SMTP ${median(rates.smtp).toFixed(0)}/s, ECStream ${median(rates.ecstream).toFixed(0)}/s, ${ratio.toFixed(2)} times as fast`,
  );
  if (ratio < 1.5) process.exitCode = 1;
} finally {
  await server[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
}

interface Measured {
  readonly rate: number;
  /** Microseconds of the server's processor for each message. */
  readonly cpu: number;
}

function inWords({ rate, cpu }: Measured): string {
  return `${rate.toFixed(0)}/s (${cpu.toFixed(0)} µs CPU)`;
}

async function measured(run: () => Promise<void>): Promise<Measured> {
  const before = serverMicros();
  const began = performance.now();
  await run();
  const seconds = (performance.now() - began) / 1000;
  return { rate: messages / seconds, cpu: (serverMicros() - before) / messages };
}

/** Of Linux; elsewhere 0. The launcher execs the server, so the pid is its. */
function serverMicros(): number {
  try {
    const stat = readFileSync(`/proc/${server.pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10_000;
  } catch {
    return 0;
  }
}

async function stream(count: number): Promise<void> {
  let left = count;
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      const client = ecstream({ port: streamPort, mostWaiting: 2048 });
      const failed: unknown[] = [];
      while (left > 0) {
        await client.room();
        if (left-- <= 0) break;
        client
          .send({ from: 'sender@example.com', to: ['recipient@example.org'], body })
          .catch((why: unknown) => failed.push(why));
      }
      await client.close();
      if (failed.length > 0) throw failed[0];
    }),
  );
}

async function smtp(count: number): Promise<void> {
  let left = count;
  const envelope = Buffer.from('MAIL FROM:<sender@example.com>\r\nRCPT TO:<recipient@example.org>\r\nDATA\r\n');
  const wire = Buffer.concat([body, Buffer.from('.\r\n')]);
  const session = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket = createConnection({ port: smtpPort, host: '127.0.0.1', noDelay: true });
      let held = '';
      socket.on('error', reject).on('close', () => resolve());
      socket.setEncoding('latin1').on('data', (chunk: string) => {
        held += chunk;
        for (let end = held.indexOf('\r\n'); end !== -1; end = held.indexOf('\r\n')) {
          const said = held.slice(0, end);
          held = held.slice(end + 2);
          if (said[3] === '-') continue;
          if (said.startsWith('220')) socket.write('EHLO client.test\r\n');
          else if (said.startsWith('354')) socket.write(wire);
          else if (/^250 (?:2\.0\.0 )?(?:OK|PIPELINING|8BITMIME|SIZE)/.test(said)) {
            if (left-- > 0) socket.write(envelope);
            else socket.write('QUIT\r\n');
          } else if (said.startsWith('221')) socket.end();
          else if (!said.startsWith('250')) reject(new Error(said));
        }
      });
    });
  await Promise.all(Array.from({ length: SESSIONS }, session));
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
