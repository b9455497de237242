import type { Accounts } from './accounts.ts';
import { type Admission, AUTHORIZATION_REQUIRED } from './admission.ts';
import { after } from './drain.ts';
import type { FloodLog } from './flood-log.ts';
import { FrameError, frame, frameKinds, type Hello, textFrame } from './frames.ts';
import type { House } from './house.ts';
import { FAILURE_MILLIS, Login } from './login.ts';

/** What a client must show before it may give commands, and what it has shown. */
export interface EntranceParts {
  readonly house: House;
  readonly admission: Exclude<Admission, { kind: 'refused' }>;
  /** Path of a Unix socket; undefined for TCP. */
  readonly socket: string | undefined;
  readonly loginDirectory: string;
  readonly accounts: Accounts;
  readonly floods: FloodLog;
  /** For the paniclog: where the client came in, and from where. */
  readonly where: string;
  send(frame: readonly Uint8Array[]): void;
}

/** How a frame was taken: `command` is none of the entrance's, `over` ends the console. */
export type Taken = 'taken' | 'command' | 'over';

/** The way from hello to the first command. */
export class Entrance {
  readonly #parts: EntranceParts;
  readonly #login: Login | undefined;
  #proof: string | undefined;
  #user: string | undefined;

  constructor(parts: EntranceParts) {
    this.#parts = parts;
    const { admission, house } = parts;
    if (admission.kind === 'login') this.#login = new Login(house.access, house.machine.hostName, admission.offers);
  }

  /** Undefined until it is known; empty for somebody whom nobody asks. */
  get user(): string | undefined {
    return this.#user;
  }

  /** A login is wanted and has not succeeded. */
  get closed(): boolean {
    return this.#login !== undefined && this.#user === undefined;
  }

  /** What the hello says of it. */
  async hello(): Promise<Pick<Hello, 'login' | 'prove'>> {
    if (this.#login !== undefined) return { login: this.#login.mechanisms };
    const { socket, loginDirectory, house } = this.#parts;
    if (socket === undefined) {
      this.#enter('', false);
      return {};
    }
    this.#proof = await house.access.systemUsers.challenge(loginDirectory, socket);
    return this.#proof === undefined ? {} : { prove: this.#proof };
  }

  /** A frame while `user` is not known. */
  async take(kind: number, payload: Buffer): Promise<Taken> {
    if (this.#login !== undefined) return this.#takeLogin(this.#login, kind, payload);
    if (kind !== frameKinds.proved || this.#proof === undefined) {
      // A client may go without a name.
      this.#enter('', true);
      return 'command';
    }
    const { house, send } = this.#parts;
    const user = await house.access.systemUsers.userBehind(this.#proof);
    this.#enter(user ?? '', true);
    send(user === undefined ? textFrame(frameKinds.denied, 'not proved') : textFrame(frameKinds.granted, user));
    return 'taken';
  }

  timedOut(): void {
    this.#parts.accounts.timedOut(this.#login?.accounted === true);
  }

  async #takeLogin(login: Login, kind: number, payload: Buffer): Promise<Taken> {
    const { send, accounts, floods, where, house } = this.#parts;
    if (kind === frameKinds.request || kind === frameKinds.complete) {
      if (kind === frameKinds.request) send(textFrame(frameKinds.output, `${AUTHORIZATION_REQUIRED}\n`));
      send(frame(frameKinds.end, Uint8Array.of(LOGIN_FAILED)));
      return 'taken';
    }
    if (kind !== frameKinds.login && kind !== frameKinds.respond)
      throw new FrameError(`frame kind ${kind} is not known`);
    const outcome = await (kind === frameKinds.login ? login.begin(payload) : login.respond(payload));
    switch (outcome.kind) {
      case 'challenge':
        send(frame(frameKinds.challenge, outcome.bytes));
        return 'taken';
      case 'granted':
        this.#enter(outcome.user, login.accounted);
        send(frame(frameKinds.granted, outcome.bytes ?? new Uint8Array(0)));
        return 'taken';
      case 'denied': {
        // What a stranger calls himself may be long.
        const user = (outcome.user ?? '').slice(0, MOST_NAME);
        accounts.login(user, 0, login.accounted);
        floods.tell('login', 'NOTICE', `${where}: login ${user === '' ? '' : `of ${user} `}failed`);
        await new Promise<void>((resolve) => house.clock.at(after(house.clock, FAILURE_MILLIS), resolve));
        send(textFrame(frameKinds.denied, outcome.why === 'unavailable' ? 'nobody can log in now' : 'login failed'));
        return login.exhausted ? 'over' : 'taken';
      }
    }
  }

  #enter(user: string, accounted: boolean): void {
    this.#user = user;
    this.#parts.accounts.login(user, 1, accounted);
  }
}

/** Characters of a name in a log. */
const MOST_NAME = 255;
/** The exit code of spec 15 for a command of somebody who has not logged in. */
const LOGIN_FAILED = 4;
