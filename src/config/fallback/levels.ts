import { pathText } from '../tree/diff.ts';
import { childOf, type Stanza, type Step } from '../tree/stanza.ts';
import { type Asked, askAlong, type Query } from './chain.ts';
import type { Compiled } from './compile.ts';

/** One place that was asked for a value. */
export interface Level {
  /** Of spec/config 7. */
  readonly rank: number;
  /** As commands take it: `Binding_Group "g" Domain "a.test"`. */
  readonly where: string;
  readonly type: string;
  /** Undefined: no stanza stands there. */
  readonly stanza: Stanza | undefined;
}

export interface Levels {
  /** Most specific first; Global and the built-in default stand behind them. */
  readonly levels: readonly Level[];
  /** Of a receiving query: the pathway that stands behind the listener, and where its name comes from. */
  readonly pathway: { readonly name: string; readonly namedBy: string | undefined } | undefined;
}

/** What a query asks, in its order, with the places where nothing stands. */
export function levelsOf(root: Compiled, query: Query): Levels {
  const recorder = new Recorder(root, query);
  askAlong(root, query, recorder);
  return recorder;
}

class Recorder implements Asked, Levels {
  readonly found: Compiled[] = [];
  readonly levels: Level[] = [];
  pathwayName = '';
  pathwayGroup: string | undefined;
  #namedBy: string | undefined;
  readonly #root: Stanza;
  readonly #query: Query;

  constructor({ stanza }: Compiled, query: Query) {
    this.#root = stanza;
    this.#query = query;
  }

  get pathway(): Levels['pathway'] {
    return this.#query.kind === 'receiving' ? { name: this.pathwayName, namedBy: this.#namedBy } : undefined;
  }

  one(rank: number, found: Compiled | undefined): void {
    const place = this.#place(rank);
    if (place) this.#add(rank, place, found);
  }

  matching(rank: number, container: Compiled | undefined, type: 'domain' | 'host', name: string): void {
    const place = this.#place(rank);
    if (!place) return;
    const matching: Compiled[] = [];
    container?.matching(type, name, matching);
    if (matching[0] === undefined || matching[0].stanza.pattern) this.#add(rank, place, undefined);
    for (const each of matching) this.#add(rank, place, each);
  }

  peers(rank: number, container: Compiled | undefined, client: string): void {
    const place = this.#place(rank);
    if (!place) return;
    const blocks = container?.peers(client) ?? [];
    if (blocks.length === 0) this.#add(rank, place, undefined);
    for (const each of blocks) this.#add(rank, place, each);
  }

  pathwayIs(name: string, group: string | undefined, namedBy: Compiled | undefined): void {
    this.pathwayName = name;
    this.pathwayGroup = group;
    this.#namedBy = this.levels.find(({ stanza }) => stanza && stanza === namedBy?.stanza)?.where;
  }

  #add(rank: number, place: Place, found: Compiled | undefined): void {
    const own = place.at(-1);
    const path = found ? [...place.slice(0, -1), found.stanza] : place;
    if (found) this.found.push(found);
    this.levels.push({ rank, where: pathText(path), type: own?.type ?? 'global', stanza: found?.stanza });
  }

  /** @returns undefined when the query does not name what would stand there */
  #place(rank: number): Place | undefined {
    const place = placeOf(this.#query, rank, this);
    if (place.some(({ written }) => written === '')) return undefined;
    // As the files write it: `Listen ":25"`, not `Listen "0.0.0.0:25"`.
    let at: Stanza | undefined = this.#root;
    return place.map((step) => {
      at = childOf(at, step.type, step.instance);
      return at ?? step;
    });
  }
}

type Place = readonly Pick<Step, 'type' | 'instance' | 'written'>[];

const named = (type: string, name = ''): Place[number] => ({ type, instance: name, written: name });

/** Where a rank of a query is: the tables of spec/config 7. */
function placeOf(
  query: Query,
  rank: number,
  { pathwayName, pathwayGroup }: Pick<Recorder, 'pathwayName' | 'pathwayGroup'>,
): Place {
  switch (query.kind) {
    case 'global':
      return [];
    case 'stanza':
      return query.path.map(({ type, instance, written }) => ({
        type,
        instance,
        written: written ?? (instance || undefined),
      }));
    case 'sending': {
      const group = named('binding_group', query.group);
      const binding = named('binding', query.binding);
      const domain = named('domain', query.domain);
      return (
        [[group, binding, domain], [binding, domain], [group, domain], [group, binding], [binding], [group], [domain]][
          rank - 1
        ] ?? []
      );
    }
    case 'host': {
      const group = named('binding_group', query.group);
      const binding = named('binding', query.binding);
      const host = named('host', query.host);
      return [[group, binding, host], [group, host], [binding, host], [host]][rank - 1] ?? [];
    }
    case 'receiving':
    case 'pathway': {
      const group = named('pathway_group', pathwayGroup);
      const pathway = named('pathway', pathwayName);
      if (query.kind === 'pathway') return [[group, pathway], [pathway], [group]][rank - 5] ?? [];
      const listener = { type: query.listener, instance: '', written: undefined };
      const listen = named('listen', query.endpoint);
      const peer = named('peer', query.client);
      return (
        [
          [listener, listen, peer],
          [listener, peer],
          [listener, listen],
          [listener],
          [group, pathway],
          [pathway],
          [group],
        ][rank - 1] ?? []
      );
    }
  }
}
