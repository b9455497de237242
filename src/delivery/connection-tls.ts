import { type Millis, parseAddress } from '../base/index.ts';
import type { AttemptTls } from '../events/index.ts';
import { type ClientTls, type Reply, type SmtpClient, tlsReplies } from '../smtp/index.ts';
import { distrust, verified } from '../tls/index.ts';
import type { Pipe, TlsFacts } from '../world/index.ts';
import type { ConnectionSettings } from './connection-settings.ts';
import type { Outlet } from './outlet.ts';

/** The TLS of one connection: brings machine, pipe and demands together. */
export class ConnectionTls {
  readonly #settings: ConnectionSettings;
  /** The turn of the machine's `secure`. */
  #turn = 0;
  #facts: TlsFacts | undefined;
  #attempt: AttemptTls | undefined;

  constructor(settings: ConnectionSettings) {
    this.#settings = settings;
  }

  /** What the machine is to do. */
  get wanted(): ClientTls {
    const { demands, givenUp, context } = this.#settings.tls;
    // What was allowed to the connection before need not be allowed any more.
    if (demands.use !== 'ifavailable' || !demands.fallback) return demands;
    // What is ours cannot be used, and the operator has been told: where clear text will do there is nothing to try.
    return givenUp || context === undefined ? { ...demands, use: 'no' } : demands;
  }

  /** A handshake has ended well. */
  get encrypted(): boolean {
    return this.#facts !== undefined;
  }

  /** For log lines; undefined before a session stands. */
  get attempt(): AttemptTls | undefined {
    return this.#attempt;
  }

  /**
   * The handshake begins.
   *
   * @returns false when what is ours cannot be used: then there is none
   */
  shake(outlet: Outlet): boolean {
    const { tls, address } = this.#settings;
    if (tls.context === undefined) return false;
    const serverName = parseAddress(address.host) === undefined ? address.host : undefined;
    outlet.pipe?.secure({ as: 'client', context: tls.context, serverName });
    return true;
  }

  /** The handshake is done: is it who it should be? @returns why not */
  judge(facts: TlsFacts): Reply | undefined {
    const { demands, names } = this.#settings.tls;
    this.#facts = facts;
    return distrust(facts, demands, names);
  }

  /** The peer of an SMTP machine is ready for a handshake. */
  begin(machine: SmtpClient, turn: number, outlet: Outlet, now: Millis): void {
    this.#turn = turn;
    // What was said before goes out in clear, and before the handshake.
    outlet.addAll(machine.take());
    outlet.flush();
    if (!this.shake(outlet)) machine.say(turn, { kind: 'insecure', reply: tlsReplies.failed }, now);
  }

  secured(machine: SmtpClient, facts: TlsFacts, now: Millis): void {
    const why = this.judge(facts);
    machine.say(this.#turn, why === undefined ? { kind: 'secured' } : { kind: 'insecure', reply: why }, now);
  }

  /** The session stands: what its log lines will say. */
  stands(pipe: Pipe | undefined): void {
    const { demands, names } = this.#settings.tls;
    const facts = this.#facts;
    this.#attempt = {
      type: demands.use,
      localIp: pipe?.local.ip ?? '',
      session: facts && {
        protocol: facts.protocol,
        cipher: facts.cipher.name,
        cipherBits: facts.cipher.bits,
        secretBits: facts.cipher.secretBits,
        verified: verified(facts, names),
        issuer: facts.peer?.issuer ?? '',
        subject: facts.peer?.subject ?? '',
      },
    };
  }
}
