import type { Pipe, PipeHost, TlsContext, TlsFacts } from '../../src/world/index.ts';

export interface Taken {
  readonly from: string;
  readonly to: readonly string[];
  readonly body: string;
  /** What TLS it came over; undefined: in clear. */
  readonly tls?: TlsFacts;
}

/** What a peer answers; an empty string closes the connection instead, undefined: nothing, now and ever after. */
export interface Script {
  readonly banner?: string | undefined;
  readonly ehlo?: readonly string[];
  /** Makes it offer STARTTLS. */
  readonly tls?: TlsContext;
  /** What it answers to STARTTLS; a 220 leads to the handshake. */
  readonly starttls?: () => string | undefined;
  /** What it answers to AUTH, and to each line behind a 334. */
  readonly auth?: (line: string) => string | undefined;
  readonly mail?: (argument: string) => string | undefined;
  readonly rcpt?: (argument: string) => string | undefined;
  readonly data?: () => string | undefined;
  readonly dot?: (body: string) => string | undefined;
  /** What it answers to QUIT; then it closes. Silent, it waits for the other side to close. */
  readonly quit?: () => string | undefined;
  /** Each session carries one message. */
  readonly closesAfterDot?: boolean;
}

/** A mail exchanger of few words, for tests: takes what its script lets it take. */
export class ScriptedPeer {
  script: Script;
  readonly taken: Taken[] = [];
  sessions = 0;
  open = 0;
  mostOpen = 0;

  constructor(script: Script = {}) {
    this.script = script;
  }

  accept = (pipe: Pipe): PipeHost => {
    this.sessions++;
    this.open++;
    this.mostOpen = Math.max(this.mostOpen, this.open);
    let held = '';
    let from = '';
    let to: string[] = [];
    let inBody = false;
    let mute = false;
    let facts: TlsFacts | undefined;
    let challenged = false;
    const say = (text: string | undefined): boolean => {
      if (text === undefined) mute = true;
      if (text === undefined || mute) return true;
      if (text === '') {
        pipe.end();
        return false;
      }
      pipe.write([Buffer.from(`${text}\r\n`)]);
      return true;
    };
    const command = (line: string): boolean => {
      const verb = line.slice(0, 4).toUpperCase();
      if (this.script.auth !== undefined && (challenged || verb === 'AUTH')) {
        const said = this.script.auth(line);
        challenged = said?.startsWith('334') === true;
        return say(said);
      }
      const argument = line.slice(line.indexOf(':') + 1);
      switch (verb) {
        case 'LHLO':
        case 'EHLO': {
          const plain = this.script.ehlo ?? ['peer.test', 'PIPELINING', 'SIZE 0'];
          const words = this.script.tls === undefined || facts !== undefined ? plain : [...plain, 'STARTTLS'];
          return say(words.map((word, index) => `250${index === words.length - 1 ? ' ' : '-'}${word}`).join('\r\n'));
        }
        case 'MAIL':
          from = argument;
          to = [];
          return say(this.script.mail ? this.script.mail(argument) : '250 2.1.0 ok');
        case 'RCPT': {
          const said = this.script.rcpt ? this.script.rcpt(argument) : '250 2.1.5 ok';
          if (said?.startsWith('2') === true) to.push(argument);
          return say(said);
        }
        case 'DATA': {
          const said = this.script.data ? this.script.data() : to.length === 0 ? '503 5.5.1 no recipients' : '354 go';
          if (said?.startsWith('354') === true) inBody = true;
          return say(said);
        }
        case 'STAR': {
          const said = this.script.starttls ? this.script.starttls() : '220 2.0.0 go ahead';
          const more = say(said);
          const context = this.script.tls;
          if (said?.startsWith('220') === true && context !== undefined) pipe.secure({ as: 'server', context });
          return more;
        }
        case 'RSET':
          return say('250 2.0.0 ok');
        case 'QUIT':
          if (this.script.quit !== undefined) return say(this.script.quit());
          say('221 2.0.0 bye');
          return say('');
        default:
          return say('500 5.5.2 what?');
      }
    };
    queueMicrotask(() => say('banner' in this.script ? this.script.banner : '220 peer.test'));
    return {
      data: (chunk) => {
        held += Buffer.from(chunk).toString('latin1');
        for (;;) {
          const end = inBody ? (held.startsWith('.\r\n') ? 0 : held.indexOf('\r\n.\r\n') + 2) : held.indexOf('\r\n');
          if (inBody ? end === 1 : end === -1) return;
          const part = held.slice(0, end);
          held = held.slice(end + (inBody ? 3 : 2));
          if (inBody) {
            inBody = false;
            const said = this.script.dot ? this.script.dot(part) : '250 2.0.0 taken';
            if (said?.startsWith('2') === true)
              this.taken.push({ from, to, body: part, ...(facts === undefined ? {} : { tls: facts }) });
            if (!say(said)) return;
            if (this.script.closesAfterDot === true) {
              pipe.end();
              return;
            }
          } else if (!command(part)) return;
        }
      },
      drained: () => undefined,
      secured: (shaken) => {
        facts = shaken;
      },
      closed: () => {
        this.open--;
      },
    };
  };
}
