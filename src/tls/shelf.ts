import type { Millis } from '../base/index.ts';
import type { View } from '../config/index.ts';
import type { Events } from '../events/index.ts';
import { type Clock, type Disk, type TlsContext, TlsError, type TlsMaker, type TlsMaterial } from '../world/index.ts';
import { TlsFiles } from './files.ts';
import { clientPlan, serverPlan, type TlsPlan } from './plan.ts';

export interface TlsParts {
  readonly tls: TlsMaker;
  readonly clock: Pick<Clock, 'now' | 'date'>;
  readonly disk: Pick<Disk, 'read' | 'status'>;
  readonly events: Pick<Events, 'diagnose'>;
}

/** A context that is in use. */
export interface ShelvedContext {
  readonly plan: TlsPlan;
  readonly context: TlsContext;
  /** On the clock's scale. */
  readonly madeAt: Millis;
}

interface Entry {
  readonly plan: TlsPlan;
  context: TlsContext | undefined;
  madeAt: Millis;
  version: number;
  lookedAt: Millis;
}

/** Files are looked at again no sooner than this, and only for who needs them. */
export const LOOK_MILLIS = 30_000;
/** More distinct plans than this: all are made anew when needed. */
const MOST_CONTEXTS = 1000;

/**
 * TLS contexts by what they are made of. A certificate that is renewed on disk is used from the next handshake after the
 * next look; one that cannot be used leaves the old one in force, and says so once.
 */
export class TlsShelf {
  readonly files: TlsFiles;
  readonly #parts: TlsParts;
  readonly #entries = new Map<string, Entry>();
  readonly #plans = new WeakMap<View, { readonly server: TlsPlan | undefined; readonly client: TlsPlan }>();

  constructor(parts: TlsParts) {
    this.#parts = parts;
    this.files = new TlsFiles(parts.disk);
  }

  /** Whether a server with these values has a certificate at all. */
  configured(view: View): boolean {
    return this.#plansOf(view).server !== undefined;
  }

  /** @returns undefined when there is no certificate, or none that can be used */
  server(view: View): TlsContext | undefined {
    const { server } = this.#plansOf(view);
    return server === undefined ? undefined : this.#context(server);
  }

  /** @returns undefined when what is configured cannot be used */
  client(view: View): TlsContext | undefined {
    return this.#context(this.#plansOf(view).client);
  }

  /** What is on it now, in the order of its making. */
  get contexts(): readonly ShelvedContext[] {
    return [...this.#entries.values()].flatMap(({ plan, context, madeAt }) =>
      context === undefined ? [] : [{ plan, context, madeAt }],
    );
  }

  /** All are made anew when they are needed next. */
  flush(): void {
    this.#entries.clear();
  }

  /** @throws TlsError, or undefined files */
  make(plan: TlsPlan): TlsContext {
    return this.#parts.tls.context(this.#material(plan));
  }

  #plansOf(view: View): { readonly server: TlsPlan | undefined; readonly client: TlsPlan } {
    let plans = this.#plans.get(view);
    if (plans === undefined) {
      plans = { server: serverPlan(view), client: clientPlan(view) };
      this.#plans.set(view, plans);
    }
    return plans;
  }

  #context(plan: TlsPlan): TlsContext | undefined {
    const now = this.#parts.clock.now();
    let entry = this.#entries.get(plan.key);
    if (entry === undefined) {
      if (this.#entries.size >= MOST_CONTEXTS) this.#entries.clear();
      entry = { plan, context: undefined, madeAt: now, version: -1, lookedAt: now };
      this.#entries.set(plan.key, entry);
    } else if (now - entry.lookedAt >= LOOK_MILLIS) {
      entry.lookedAt = now;
      void this.#look(plan);
    }
    const version = this.files.version(plan.files);
    if (entry.version !== version) this.#renew(entry, version, now);
    return entry.context;
  }

  #renew(entry: Entry, version: number, now: Millis): void {
    entry.version = version;
    try {
      entry.context = this.make(entry.plan);
      entry.madeAt = now;
    } catch (error) {
      if (!(error instanceof TlsError)) throw error;
      const kept = entry.context === undefined ? 'TLS is not to be had' : 'the one before stays in use';
      this.#report(`${namesOf(entry.plan)} cannot be used: ${error.message}; ${kept}`);
    }
  }

  async #look(plan: TlsPlan): Promise<void> {
    for (const path of plan.files) {
      const trouble = await this.files.look(path);
      if (trouble !== undefined) this.#report(`${trouble}; what was read before stays in use`);
    }
  }

  #material(plan: TlsPlan): TlsMaterial {
    const bytes = (path: string): Uint8Array => {
      const found = this.files.bytes(path);
      if (found === undefined) throw new TlsError(`${path} could not be read`);
      return found;
    };
    const { authorities, dh } = plan;
    return {
      ...plan.rest,
      identities: plan.certificates.map(({ certificate, key }) => ({ chain: bytes(certificate), key: bytes(key) })),
      authorities: authorities === 'public' || authorities === 'nobody' ? authorities : bytes(authorities),
      dh: dh === 'built in' || dh === 'none' ? dh : bytes(dh),
    };
  }

  #report(text: string): void {
    this.#parts.events.diagnose('ERROR', 'tls', text);
  }
}

const namesOf = (plan: TlsPlan): string =>
  plan.files.length === 0 ? 'the TLS configuration' : plan.files.join(' with ');
