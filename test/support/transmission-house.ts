import { expect } from 'vitest';
import type { MailEvent } from '../../src/events/index.ts';
import type { Server } from '../../src/main/index.ts';
import { type SimWorld, simWorld } from '../../src/world/sim/index.ts';
import { askIn, errorOf, type HttpAnswer, jsonOf } from './http-room.ts';
import { endpoint } from './listening.ts';
import { FILE, serverIn } from './whole-server.ts';

const CONF = `
Spoolbase = "/spool"
Routes = ( "smtp://192.0.2.9" )
Retry_Interval = 5
ESMTP_Listener { Listen "127.0.0.1:25" { } }
Control_Listener { Listen "/run/control" { } }
HTTP_Listener { Always_Allow = true Listen "127.0.0.1:2081" { } }
Binding_Group "pool" { Binding "b1" { } Binding "b2" { } }
`;

/** What POST /api/v1/transmissions answers. */
export interface Results {
  readonly results: {
    readonly id: string;
    readonly total_accepted_recipients: number;
    readonly total_rejected_recipients: number;
    readonly rcpt_to_errors?: readonly { readonly code: string }[];
  };
  readonly errors?: readonly { readonly code: string; readonly message: string }[];
}

/** Takes mail and keeps it. */
export class Inbox {
  readonly mails: { readonly from: string; readonly to: string; readonly text: string }[] = [];

  async open(world: SimWorld, at = '192.0.2.9:25'): Promise<void> {
    await world.network.listen(endpoint(at), { backlog: 100, fileMode: 0 }, (pipe) => {
      let text = '';
      let data = false;
      let from = '';
      let to: string[] = [];
      const say = (line: string): boolean => pipe.write([Buffer.from(`${line}\r\n`)]);
      world.clock.defer(() => say('220 x'));
      const line = (each: string): void => {
        if (data) {
          if (each !== '.') {
            text += `${each.startsWith('.') ? each.slice(1) : each}\r\n`;
            return;
          }
          data = false;
          for (const one of to) this.mails.push({ from, to: one, text });
          text = '';
          to = [];
          say('250 ok');
          return;
        }
        const path = /<(.*?)>/.exec(each)?.[1] ?? '';
        if (/^MAIL/i.test(each)) from = path;
        if (/^RCPT/i.test(each)) to.push(path);
        if (/^DATA/i.test(each)) {
          data = true;
          say('354 go');
        } else if (/^QUIT/i.test(each)) {
          say('221 bye');
          pipe.end();
        } else say('250 ok');
      };
      let rest = '';
      return {
        data: (chunk) => {
          rest += Buffer.from(chunk).toString('latin1');
          for (let end = rest.indexOf('\r\n'); end !== -1; end = rest.indexOf('\r\n')) {
            const each = rest.slice(0, end);
            rest = rest.slice(end + 2);
            line(each);
          }
        },
        drained: () => undefined,
        closed: () => undefined,
      };
    });
  }
}

/** A whole server in a simulated world that takes transmissions, with somebody who takes their mail. */
export class House {
  world: SimWorld = simWorld(1, { diskLatencyMillis: 1 });
  readonly events: MailEvent[] = [];
  readonly inbox = new Inbox();
  server!: Server;

  /** @param more of its configuration */
  static async open(more = ''): Promise<House> {
    const house = new House();
    await house.openHere(more);
    return house;
  }

  /** For the first time in its world. */
  async openHere(more = ''): Promise<void> {
    this.configure(more);
    await this.inbox.open(this.world);
    await this.begin();
  }

  configure(more: string): void {
    this.world.disk.put(FILE, `${CONF}${more}`);
  }

  /** @param settle milliseconds that the server has before anybody asks it */
  async begin(settle = 100): Promise<void> {
    const { world } = this;
    const start = serverIn(world, (events) => {
      events.subscribe(
        ['generation', 'reception', 'diagnostic', 'delivery', 'permanent'],
        (event) => void this.events.push(event),
      );
    });
    this.server = await world.clock.until(start);
    await world.clock.advance(settle);
  }

  ask(head: string, body: unknown = ''): Promise<HttpAnswer> {
    return askIn(this.world, head, typeof body === 'string' ? body : JSON.stringify(body));
  }

  async send(body: unknown, query = ''): Promise<Results> {
    const answer = await this.ask(`POST /api/v1/transmissions${query}`, body);
    expect([answer.status, answer.text]).toEqual([200, expect.any(String)]);
    return jsonOf<Results>(answer);
  }

  async refused(body: unknown): Promise<string> {
    const { status, code } = errorOf(await this.ask('POST /api/v1/transmissions', body));
    return `${status}/${code}`;
  }

  /** Lines of the paniclog that speak of something, `LEVEL text`. */
  said(about: string): readonly string[] {
    return this.events.flatMap((event) =>
      event.kind === 'diagnostic' && event.text.includes(about) ? [`${event.level} ${event.text}`] : [],
    );
  }

  of<K extends MailEvent['kind']>(kind: K): readonly MailEvent[] {
    return this.events.filter((event) => event.kind === kind);
  }
}
