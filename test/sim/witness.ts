import { bindingName, type Domain } from '../../src/base/index.ts';
import { generateBounces } from '../../src/bounce/index.ts';
import type { Generation, LiveConfiguration } from '../../src/config/index.ts';
import type { AttemptEvent, Events } from '../../src/events/index.ts';
import type { Server } from '../../src/main/index.ts';
import { replyText } from '../../src/smtp/index.ts';
import type { ConnectionWatch, SimChance, SimClock, SimPipe } from '../../src/world/sim/index.ts';
import { Books } from './checkers/books.ts';
import { Fates } from './checkers/fates.ts';
import { Limits } from './checkers/limits.ts';
import { LogFile } from './checkers/log-file.ts';
import { Retries } from './checkers/retries.ts';
import { Crashes } from './crashes.ts';
import type { Journal } from './journal.ts';
import type { Host, MailCount, Received, SessionHearer } from './peers/exchanger-session.ts';
import { MAINLOG } from './places.ts';
import type { Plan } from './plan.ts';
import { Records } from './records.ts';
import { type Death, type ServerHearer, SimulatedServer } from './server.ts';
import { Town } from './town.ts';
import { Violations } from './violations.ts';

/** Sees everything, writes it into the journal, and asks the checkers. */
export class Witness implements ServerHearer, SessionHearer {
  readonly clock: SimClock;
  readonly plan: Plan;
  readonly records = new Records();
  readonly violations: Violations;
  readonly crashes: Crashes;
  readonly town: Town;
  readonly server: SimulatedServer;
  /** Something has happened that a crash now would make hard: the weather may take the chance. */
  onCritical: () => void = () => undefined;
  readonly #journal: Journal;
  readonly #fates: Fates;
  readonly #retries: Retries;
  readonly #limits: Limits;
  readonly #books: Books;
  readonly #log = new LogFile();
  #generation: Generation | undefined;

  constructor(clock: SimClock, chance: SimChance, plan: Plan, journal: Journal) {
    this.clock = clock;
    this.plan = plan;
    this.#journal = journal;
    this.violations = new Violations((text) => this.#journal.note('checker', text));
    const now = (): number => clock.now();
    const { violations, records } = this;
    this.crashes = new Crashes(plan, now);
    const { crashes } = this;
    this.#fates = new Fates({ now, records, crashes, violations, bounces: (domain) => this.#bounces(domain) });
    this.#retries = new Retries({ now, crashes, violations, current: () => this.#current() });
    this.#limits = new Limits({ now, plan, violations });
    this.#books = new Books(
      violations,
      () => plan.troubles.diskFull || crashes.troublesIn(now() - 60_000, now()) > 0,
      plan.troubles.names || plan.troubles.network,
    );
    this.town = new Town(clock, chance, plan, journal, this);
    this.server = new SimulatedServer(this.town, plan, crashes, violations, this);
  }

  born(events: Events): void {
    this.#books.born();
    const { crashes } = this;
    const life = this.server.lives;
    const lives = (): boolean => this.server.lives === life && this.server.machine?.life.over === false;
    events.subscribe(['reception'], (event) => {
      if (!lives()) return;
      this.#books.count(event.protocol === 'internal' ? 'generated' : 'received');
      this.#note('R', `${event.messageId} ${event.recipient} from <${event.sender}>`);
      this.#log.add('R', event.messageId);
      this.#fates.received(event);
      this.onCritical();
    });
    events.subscribe(['delivery', 'transient', 'permanent'], (event) => {
      if (lives()) this.#attempted(event);
    });
    events.subscribe(['diagnostic'], (event) => {
      if (!lives()) return;
      this.#note(event.level, `${event.module}: ${event.text}`);
      this.#books.diagnosed(event);
      if (event.module === 'spool' && /^cannot (read|sync) /.test(event.text)) crashes.couldNotRead();
    });
    events.subscribe(['rejection'], (event) => {
      if (lives()) this.#note('rejects', `${replyText(event.reply)} (${event.phase})`);
    });
  }

  ready(_server: Server, configuration: LiveConfiguration): void {
    this.committed(configuration.current);
    this.#retries.started(this.records.all());
  }

  committed(next: Generation): void {
    this.#generation = next;
    this.#limits.configured(next);
  }

  died(_how: Death): void {
    this.#generation = undefined;
    this.#fates.died();
    this.#limits.died();
  }

  connected(pipe: SimPipe, to: string): ConnectionWatch {
    this.#note('connects', to);
    // Questions to the name server are no mail.
    return pipe.remote.port === 25 ? this.#limits.connected(pipe.remote.ip) : { over: () => undefined };
  }

  note(text: string): void {
    this.#journal.note('sink', text);
  }

  mail(exchanger: Host, sentAt: number): MailCount {
    return this.#limits.mail(exchanger.ip, exchanger.name, sentAt);
  }

  recipient(_exchanger: Host, path: string, sentAt: number): void {
    const track = this.records.tracks.get(path);
    if (track === undefined) return;
    this.#fates.tried(track, sentAt);
    this.#retries.tried(track, sentAt);
  }

  taken(exchanger: Host, received: Received): void {
    const how = received.saidBy === undefined ? 'took, without a word,' : 'took';
    this.note(`${exchanger.ip} ${how} ${received.body.length} bytes for ${received.recipients.join(' ')}`);
    this.#fates.arrived(exchanger.name, received);
    this.onCritical();
  }

  over(_exchanger: Host, session: { readonly domain: string | undefined; readonly delivered: number }): void {
    this.#limits.sessionOver(session.domain, session.delivered);
  }

  /** An event and all that it started has ended. */
  quiet(): void {
    this.#fates.quiet();
    const { ledger, machine } = this.server;
    if (ledger !== undefined && machine?.life.over === false) this.#books.quiet(ledger);
  }

  /** Everything is delivered and the server is closed. */
  finish(): void {
    this.#fates.finish(isCalm(this.plan), isPolite(this.plan));
    // Lines that a crash has cut off, or a disk has refused, are not there.
    const { kills, powerCuts, diskFaults, diskFull } = this.plan.troubles;
    if (!kills && !powerCuts && !diskFaults && !diskFull)
      this.#log.judge(this.server.disk.text(MAINLOG) ?? '', this.violations);
  }

  #attempted(event: AttemptEvent): void {
    const letter = event.kind === 'delivery' ? 'D' : event.kind === 'transient' ? 'T' : 'P';
    this.#log.add(letter, event.messageId);
    this.#note(
      letter,
      `${event.messageId} ${event.recipient} ${event.retries} ${event.host} ${replyText(event.reply)}`,
    );
    const track = this.#fates.attempted(event);
    this.#retries.attempted(track, event);
    if (event.kind === 'delivery') {
      this.#books.count('delivered');
      this.#fates.delivered(track);
    } else if (event.kind === 'permanent') {
      this.#books.count('ended');
      this.onCritical();
      this.#fates.failed(track, event);
    }
  }

  #current(): Generation {
    if (this.#generation === undefined) throw new Error('no configuration holds');
    return this.#generation;
  }

  #bounces(domain: string): boolean {
    const generation = this.#current();
    return generation.sending(generation.groupOf(DEFAULT), DEFAULT, domain as Domain).get(generateBounces);
  }

  #note(what: string, text: string): void {
    this.#journal.note('server', `${what} ${text}`);
  }
}

const isCalm = ({ troubles }: Plan): boolean =>
  troubles.peers === 'good' && Object.values(troubles).every((each) => each === false || each === 'good');

const isPolite = ({ troubles }: Plan): boolean =>
  !(
    troubles.sources ||
    troubles.network ||
    troubles.diskFaults ||
    troubles.diskFull ||
    troubles.kills ||
    troubles.powerCuts ||
    troubles.restarts
  );

const DEFAULT = bindingName('default');
