import { SimChance, SimClock } from '../../src/world/sim/index.ts';
import { drain, finalJudgement } from './ending.ts';
import { Journal } from './journal.ts';
import { letter } from './letter.ts';
import { Operator } from './operator.ts';
import { source } from './peers/source.ts';
import { streamSource } from './peers/stream-source.ts';
import { type Plan, planOf } from './plan.ts';
import { sleep } from './sleep.ts';
import { SimulationOver, type Violation } from './violations.ts';
import { keepAlive, Weather } from './weather.ts';
import { Witness } from './witness.ts';

export interface SimulationResult {
  readonly seed: number;
  readonly plan: Plan;
  readonly violations: readonly Violation[];
  readonly journal: Journal;
  readonly figures: Figures;
}

/** What a simulation was made of. */
export interface Figures {
  readonly letters: number;
  readonly recipients: number;
  readonly acknowledged: number;
  readonly arrivals: number;
  readonly bounces: number;
  readonly deferrals: number;
  readonly lives: number;
  readonly simulatedSeconds: number;
}

/** One world from one seed: the whole server, its peers, its operator and its troubles, until all is delivered. */
export async function simulate(seed: number, hear?: (line: string) => void): Promise<SimulationResult> {
  const clock = new SimClock();
  const chance = new SimChance(seed);
  const plan = planOf(chance.fork());
  const journal = new Journal(clock, hear);
  const witness = new Witness(clock, chance.fork(), plan, journal);
  const { violations } = witness;
  const broken = (error: unknown): void => violations.report('errors', textOf(error));
  process.on('unhandledRejection', broken);
  clock.afterEach = () => {
    witness.quiet();
    violations.stop();
  };
  try {
    journal.note('plan', JSON.stringify(plan.troubles));
    await run(witness);
  } catch (error) {
    // What an event throws is a bug of the server, or ours.
    if (!(error instanceof SimulationOver)) broken(error);
  } finally {
    process.off('unhandledRejection', broken);
  }
  return { seed, plan, violations: violations.found, journal, figures: figuresOf(witness) };
}

async function run(witness: Witness): Promise<void> {
  const { clock, plan, town, server, records, violations } = witness;
  const dice = town.dice.fork();
  await town.open();
  const weather = new Weather({ town, plan, dice: dice.fork(), server });
  const operator = new Operator({ town, plan, dice: dice.fork(), records, server, violations });
  const jobs: Promise<void>[] = [];
  void keepAlive(town, server, dice.fork());
  weather.begin();
  witness.onCritical = () => weather.critical();
  if (plan.troubles.operator) jobs.push(operator.work());
  const domains = plan.domains.slice(0, -1).map((domain) => domain.name);
  let number = 0;
  for (let session = 0; session < plan.sessions; session++) {
    const own = dice.fork();
    const letters = Array.from({ length: own.between(1, plan.messages) }, () =>
      letter(own, ++number, domains, plan.largest),
    );
    // Every fourth comes by ECStream.
    const bring = session % 4 === 3 ? streamSource : source;
    jobs.push(
      sleep(clock, own.within(0, plan.duration)).then(() =>
        bring(
          { clock, network: town.network, records, dice: own, note: (text) => town.note('source', text) },
          letters,
          plan.troubles.sources,
        ),
      ),
    );
  }
  await clock.advance(plan.duration);
  weather.clear();
  town.note('weather', 'clears');
  await clock.until(operator.leave());
  await drain(witness, Promise.all(jobs));
  // A segment that could not be read is left alone until the next start; and an orderly restart must not change anything.
  await clock.until(server.close(), LONGEST_CLOSE);
  await drain(witness, sleep(clock, RECOVERY));
  await finalJudgement(witness);
}

function figuresOf({ records, server, clock }: Witness): Figures {
  const sent = [...records.sent.values()];
  const tracks = [...records.all()];
  return {
    letters: sent.length,
    recipients: records.tracks.size,
    acknowledged: sent.filter((each) => each.reply?.code === 250).reduce((sum, each) => sum + each.accepted.length, 0),
    arrivals: tracks.reduce((sum, track) => sum + track.arrivals.length, 0),
    bounces: records.bounces.size,
    deferrals: tracks.reduce((sum, track) => sum + track.failures.length, 0),
    lives: server.lives,
    simulatedSeconds: Math.round(clock.now() / 1000),
  };
}

const LONGEST_CLOSE = 200_000;
/** More than a restart and the reading of a small spool take. */
const RECOVERY = 60_000;

const textOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message).split('\n').slice(0, 6).join('\n') : String(error);
