/**
 * `npm run crash -- --rounds N [--seed S] [--first R] [--every N]`: a real server on a real disk under load, killed with
 * SIGKILL at named points and at any moment, started again on the same spool. Every so many rounds the queues are
 * drained, and what was acknowledged is compared with what arrived. Exit code 1 when something is lost, or comes twice
 * without an excuse.
 */
import { parseArgs } from 'node:util';
import { crashes } from '../test/crash/run.ts';
import { Scratch } from '../test/end-to-end/harness.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '40' },
    seed: { type: 'string', default: '1' },
    first: { type: 'string', default: '1' },
    every: { type: 'string', default: '10' },
  },
});

const whole = (name: keyof typeof values): number => {
  const number = Number(values[name]);
  if (!Number.isInteger(number) || number < 1) {
    console.error(`crash: --${name} takes a whole number from 1, not ${values[name]}`);
    process.exit(2);
  }
  return number;
};

const rounds = whole('rounds');
const seed = whole('seed');
const began = performance.now();
const live = process.stdout.isTTY === true;

function progress(done: number): void {
  const spent = (performance.now() - began) / 1000;
  const left = Math.ceil((spent / done) * (rounds - done));
  const text = `${done} of ${rounds} rounds, ${spent.toFixed(0)} s, about ${left} s to go`;
  if (live) process.stdout.write(`\r${text}\x1b[K${done === rounds ? '\n' : ''}`);
  else if (done % 10 === 0 || done === rounds) console.log(text);
}

using scratch = new Scratch();
const { report, faults, replays } = await crashes(scratch, {
  seed,
  rounds,
  first: whole('first'),
  every: whole('every'),
  progress,
});
console.log(`\n${report.text()}`);
console.log(`seed ${seed}, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}`);
if (faults.length > 0) {
  console.error(`\n${faults.slice(0, 50).join('\n')}`);
  if (faults.length > 50) console.error(`and ${faults.length - 50} more`);
  console.error(
    `\nIn one of these rounds; each can be run by itself, or all together with --rounds ${replays.length}:\n${replays.join('\n')}`,
  );
  process.exitCode = 1;
}
