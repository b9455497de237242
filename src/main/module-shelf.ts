import type { Generation, View } from '../config/index.ts';
import type { Events } from '../events/index.ts';
import type { ModuleDefinition } from '../modules/index.ts';
import type { Policy } from '../policy/index.ts';
import type { Clock, Disk } from '../world/index.ts';

/** A console command that a module has added: `ec_logger:NAME reopen logs`. */
export interface ModuleCommand {
  readonly words: string;
  readonly summary: string;
  run(rest: readonly string[]): AsyncIterable<string, unknown>;
}

export interface ShelfParts {
  readonly clock: Clock;
  readonly disk: Disk;
  readonly events: Events;
  readonly policy: Policy;
  readonly complain: (text: string) => void;
}

interface Running {
  readonly definition: ModuleDefinition;
  readonly instance: string;
  readonly view: View;
  readonly handle: AsyncDisposable;
  readonly commands: Set<ModuleCommand>;
  /** Its generation is current: nothing is judged, or logged, by an old and a new instance at once. */
  readonly turn: { has: boolean };
}

/** What a commit would change, started already and waiting for the commit. */
export interface ShelfChange {
  /** The commit stands: old instances end. */
  take(): void;
  /** The commit was vetoed: new instances end. */
  drop(): void;
}

/** The modules that run: one for each stanza of a known module, started and ended as configurations come and go. */
export class ModuleShelf implements AsyncDisposable {
  readonly #parts: ShelfParts;
  readonly #definitions: readonly ModuleDefinition[];
  #running: readonly Running[] = [];
  readonly #ending = new Set<Promise<void>>();

  constructor(definitions: readonly ModuleDefinition[], parts: ShelfParts) {
    this.#definitions = definitions;
    this.#parts = parts;
  }

  get running(): readonly { readonly name: string; readonly instance: string; readonly singleton: boolean }[] {
    return this.#running.map(({ definition, instance }) => ({
      name: definition.name,
      instance,
      singleton: definition.instances === 'singleton',
    }));
  }

  get commands(): readonly ModuleCommand[] {
    return this.#running.flatMap((module) => [...module.commands]);
  }

  /**
   * Starts what a generation adds or changes.
   * @throws Error with a sentence for the operator when a module cannot work with its values; nothing has changed then
   */
  prepare(next: Generation): ShelfChange {
    const kept: Running[] = [];
    const started: Running[] = [];
    try {
      for (const definition of this.#definitions) {
        for (const instance of next.instances(definition.name)) {
          const same = this.#running.find(
            (each) => each.definition === definition && each.instance === instance && each.view.sameIn(next),
          );
          if (same !== undefined) kept.push(same);
          else started.push(this.#start(definition, instance, next));
        }
      }
    } catch (error) {
      for (const each of started) this.#end(each);
      throw error;
    }
    const old = this.#running.filter((each) => !kept.includes(each));
    return {
      take: () => {
        this.#running = [...kept, ...started];
        for (const each of started) each.turn.has = true;
        for (const each of old) this.#end(each);
      },
      drop: () => {
        for (const each of started) this.#end(each);
      },
    };
  }

  /** What `prepare` would start and `take` would end, in words: `ec_logger main`. Nothing is done. */
  plan(next: Generation): {
    readonly started: readonly string[];
    readonly ended: readonly string[];
    readonly restarted: readonly string[];
  } {
    const running = new Map(this.#running.map((each) => [title(each.definition.name, each.instance), each]));
    const wanted = this.#definitions.flatMap(({ name }) =>
      next.instances(name).map((instance) => title(name, instance)),
    );
    return {
      started: wanted.filter((each) => !running.has(each)),
      ended: [...running.keys()].filter((each) => !wanted.includes(each)),
      restarted: wanted.filter((each) => running.get(each)?.view.sameIn(next) === false),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const each of this.#running) this.#end(each);
    this.#running = [];
    await Promise.all(this.#ending);
  }

  #start(definition: ModuleDefinition, instance: string, generation: Generation): Running {
    const { clock, disk, events, policy, complain } = this.#parts;
    const turn = { has: false };
    const commands = new Set<ModuleCommand>();
    const prefix =
      definition.instances === 'singleton' || instance === '' ? definition.name : `${definition.name}:${instance}`;
    const view = generation.stanza(definition.name, instance);
    const handle = definition.start(
      {
        instance,
        events: {
          record: (event) => events.record(event),
          diagnose: (level, module, text) => events.diagnose(level, module, text),
          subscribe: (kinds, hear) =>
            events.subscribe(kinds, (event) => {
              if (turn.has) hear(event);
            }),
        },
        clock,
        disk,
        global: generation.global,
        complain,
        command: (words, run) => {
          const command: ModuleCommand = { words: `${prefix} ${words}`, summary: `${words} of ${prefix}`, run };
          commands.add(command);
          return { [Symbol.dispose]: () => void commands.delete(command) };
        },
        hook: (phase, hook) =>
          policy.hook(phase, definition.name, (subject) => (turn.has ? hook(subject) : { kind: 'continue' })),
      },
      view,
    );
    return { definition, instance, view, handle, commands, turn };
  }

  #end(module: Running): void {
    module.turn.has = false;
    const ending = Promise.resolve(module.handle[Symbol.asyncDispose]()).then(
      () => undefined,
      (error: unknown) =>
        this.#parts.complain(`${module.definition.name}: ${error instanceof Error ? error.message : String(error)}`),
    );
    this.#ending.add(ending);
    void ending.then(() => this.#ending.delete(ending));
  }
}

const title = (name: string, instance: string): string =>
  instance === '' || instance === name ? name : `${name} ${instance}`;
