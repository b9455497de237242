import { openSpool } from '../../src/spool/index.ts';
import { SPOOL } from './places.ts';
import type { Plan } from './plan.ts';
import { CLOSE_PATIENCE } from './server.ts';
import type { Witness } from './witness.ts';

/** How often it is looked at whether the queue is empty. */
const LOOK = 1000;

/** Waits until every letter has been brought and everything is delivered, for as long as that may take. */
export async function drain(witness: Witness, jobs: Promise<unknown>): Promise<void> {
  const { clock, server, violations, plan } = witness;
  let brought = false;
  void jobs.then(() => {
    brought = true;
  });
  const longest = longestDrain(plan, witness.records.tracks.size);
  const began = clock.now();
  for (;;) {
    await clock.advance(LOOK);
    const { running } = server;
    if (brought && running?.server.ledger.queued === 0) return;
    if (clock.now() - began < longest) continue;
    violations.report(
      'drain',
      `${longest / 1000} s after the faults stopped ${running?.server.ledger.queued ?? 'all'} messages are queued` +
        (brought ? '' : ', and senders are not done'),
    );
    violations.stop();
  }
}

/** The server closes in order, and nothing is left in its spool. */
export async function finalJudgement(witness: Witness): Promise<void> {
  const { clock, server, violations } = witness;
  server.retired = true;
  await clock.until(server.close(), 10 * CLOSE_PATIENCE);
  witness.finish();
  violations.stop();
  await clock.advance(60_000);
  const disk = server.disk;
  const spool = await clock.until(
    openSpool({
      disk,
      clock,
      directory: SPOOL,
      settings: {
        spool_mode: 0o640,
        force_fsync: true,
        large_message_threshold: 100_000,
        max_resident_messages: 0,
        max_resident_bytes: 0,
        spool_min_free: 0,
      },
    }),
  );
  await clock.until(
    (async () => {
      for await (const batch of spool.recover()) {
        for (const found of batch)
          violations.report('spool', `${found.envelope.recipients.map((each) => each.path)} is still in the spool`);
      }
      await spool[Symbol.asyncDispose]();
    })(),
  );
  if (disk.files().some((path) => path.includes('/damaged/')))
    violations.report('spool', `damage: ${disk.files().filter((path) => path.includes('/damaged/'))}`);
  const large = disk.files().filter((path) => path.includes('/large/'));
  if (large.length > 0) violations.report('spool', `large files that nobody owns: ${large}`);
  violations.stop();
}

/** Milliseconds that everything may take when nothing goes wrong any more. */
function longestDrain(plan: Plan, recipients: number): number {
  const option = (name: string): number => Number(plan.options[name] ?? 0) * 1000;
  const sessions = Math.max(
    option('Body_Timeout'),
    option('Rcptto_Timeout'),
    option('Connect_Timeout'),
    plan.idleTime * 1000,
  );
  // The slowest throttle of a domain lets one message through in 20 s, and retries and bounces come on top.
  const throttled = recipients * 2 * 21_000;
  return 6 * option('Max_Retry_Interval') + 4 * option('Host_Failure_Retry') + 6 * sessions + throttled + 1_200_000;
}
