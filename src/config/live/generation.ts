import type { BindingName, Domain, Endpoint, Millis } from '../../base/index.ts';
import type { Option, Place } from '../option.ts';

/**
 * One resolved set of values: fallback already walked. There is one View for each distinct chain of matching stanzas,
 * never one for each client or domain; it is immutable and may be kept as long as its generation is current.
 */
export interface View {
  readonly generation: number;
  get<T>(option: Option<T>): T;
  /** Whose value this is: caps and throttles are counted for each (option, owner), explain names it. */
  owner(option: Option<unknown>): StanzaId;
  /** A reload that changes nothing visible here leaves its sessions alone. */
  sameIn(next: Generation): boolean;
}

/**
 * The stanza a value comes from. The same stanza has the same `key` in every generation, so limiters survive a commit.
 * `key` is `default` for built-in values and `global` for the top level; otherwise the canonical path, as
 * `binding_group:retail:binding:r1`.
 */
export interface StanzaId {
  readonly key: string;
  readonly place: Place | undefined;
}

/** A stanza that sets some option, and what holds in it as far as the stanzas around it say. */
export interface SettingStanza {
  /** From the top (`global`) down to the stanza itself. */
  readonly path: readonly { readonly type: string; readonly instance: string }[];
  /** Where its own value stands; undefined when the stanza does not set the option. */
  placeOf(option: Option<unknown>): Place | undefined;
  /** Its own value, else that of the nearest stanza around it, else the default. */
  get<T>(option: Option<T>): T;
}

export type ListenerType = 'esmtp_listener' | 'control_listener' | 'ecstream_listener' | 'http_listener';

/** One enabled or disabled `Listen` stanza. */
export interface ListenStanza {
  readonly listener: ListenerType;
  readonly endpoint: Endpoint;
  readonly place: Place;
  /** Values at this endpoint for no client in particular: Listen, listener, global, default. */
  readonly view: View;
}

/** An immutable, committed configuration. Regex stanzas are matched and cached behind these calls. */
export interface Generation {
  readonly number: number;
  /** When it was committed, milliseconds since the epoch. */
  readonly date: Millis;
  /** Of the effective text: the same hash means the same configuration. */
  readonly hash: string;
  readonly global: View;
  /** spec/config 7.1. `group` is `groupOf(binding)` unless policy said otherwise. */
  sending(group: string, binding: BindingName, domain: Domain): View;
  /** spec/config 7.2: host options do not fall back. */
  host(group: string, binding: BindingName, host: string): View;
  /** spec/config 7.5. `client` is an IP address; a Unix-socket client is 127.0.0.1. */
  receiving(listener: ListenerType, endpoint: Endpoint, client: string, pathway?: string): View;
  /** Every stanza that sets an option for such a client, nearest first: what its session is counted in. */
  receivingOwners(
    option: Option<unknown>,
    listener: ListenerType,
    endpoint: Endpoint,
    client: string,
    pathway?: string,
  ): readonly StanzaId[];
  listens(): readonly ListenStanza[];
  /** Stanzas that set any of these options, outer ones first. */
  settings(options: readonly Option<unknown>[]): readonly SettingStanza[];
  groupOf(binding: BindingName): string;
  /** The group that a pathway stands in; undefined when it stands in none. */
  pathwayGroupOf(pathway: string): string | undefined;
  bindings(): readonly { readonly group: string; readonly name: BindingName }[];
  /**
   * Instances of a module or other named stanza that stand in the configuration; an anonymous one is ''.
   *
   * @param inside  the anonymous stanza at the top level that they stand in: roles are inside `authorization`
   */
  instances(type: string, inside?: string): readonly string[];
  /** The stanza, then defaults (spec/config 7.6). A stanza that does not exist gives the defaults. */
  stanza(type: string, instance: string, inside?: string): View;
}

export type CommitCheck = (
  next: Generation,
  current: Generation,
) => void | (() => void) | Promise<void> | Promise<() => void>;

/** The live configuration. Readers keep the generation they took; a commit swaps one pointer. */
export interface Configuration {
  readonly current: Generation;
  /** After each commit or reload, in the order of subscription. Must not throw. */
  onCommit(hear: (next: Generation, last: Generation) => void): Disposable;
  /**
   * Before each commit: a thrown ConfigError vetoes it and nothing changes. May be asynchronous (listeners open first).
   * What a check returns is called when a later one vetoes: it takes back what this one has begun.
   */
  beforeCommit(check: CommitCheck): Disposable;
  /**
   * Reads every file again.
   *
   * @param who for the history: `SIGHUP`
   * @throws ConfigErrors; the live generation is then unchanged
   */
  reload(file?: string, who?: string): Promise<Generation>;
}
