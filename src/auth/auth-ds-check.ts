import { ConfigError, type Generation, type Option, type Place, ValueError } from '../config/index.ts';
import { datasourceUri, namesOf } from '../datasource/index.ts';
import type { StoreKind } from '../world/index.ts';
import { type Authenticate, type SchemePlan, type SchemeQuery, schemePlans } from './auth-ds.ts';
import * as options from './auth-ds-options.ts';
import type { MechanismName } from './mechanism.ts';
import type { StoredType } from './named-scheme.ts';
import type { AuthParameters, RoleParameters } from './parameters.ts';
import { typesFor } from './scheme-fit.ts';
import type { StoreAddress } from './store-address.ts';

/** An option by which a listener names the store of a mechanism. */
export interface MechanismOption {
  readonly mechanism: MechanismName;
  readonly option: Option<AuthParameters | undefined>;
}

type Asking = Pick<Generation, 'settings' | 'stanza' | 'instances'>;

/**
 * What is wrong with schemes of auth_ds, and with the listeners that want to use one.
 *
 * @param listeners  the parameters of all mechanisms
 */
export function authDsErrors(generation: Asking, listeners: readonly MechanismOption[]): readonly ConfigError[] {
  const plans = schemePlans(generation);
  const errors: ConfigError[] = [];
  for (const plan of plans.values()) {
    const title = `Scheme "${plan.name}"`;
    for (const each of [plan.authenticate, plan.queryGroups, plan.enumGroups]) {
      const trouble = each && queryTrouble(each, generation);
      if (trouble !== undefined) errors.push(new ConfigError(`${title}: ${trouble.text}`, { place: trouble.place }));
    }
    const open = plan.authenticate && openDoor(plan.authenticate);
    if (open !== undefined) errors.push(new ConfigError(`${title}: ${open}`, { place: placeIn(plan.authenticate) }));
  }
  for (const { mechanism, option } of listeners) {
    for (const stanza of generation.settings([option])) {
      const place = stanza.placeOf(option);
      const plan = place === undefined ? undefined : named(stanza.get(option)?.store, plans);
      const why = plan && misfit(plan, mechanism);
      if (why !== undefined)
        errors.push(new ConfigError(`Scheme "${plan?.name}" cannot serve ${mechanism}: ${why}`, { place }));
    }
  }
  return errors;
}

/** Listeners that name a scheme which is not there, or which knows nothing of groups: nobody gets in, and nothing breaks. */
export function authDsWarnings(
  generation: Pick<Generation, 'settings'>,
  listeners: readonly MechanismOption[],
  roles: Option<RoleParameters | undefined>,
): readonly { readonly place: Place; readonly text: string }[] {
  const plans = schemePlans(generation);
  const found: { place: Place; text: string }[] = [];
  for (const option of [...listeners.map((each) => each.option), roles]) {
    for (const stanza of generation.settings([option])) {
      const place = stanza.placeOf(option);
      const store =
        place === undefined ? undefined : stanza.get<AuthParameters | RoleParameters | undefined>(option)?.store;
      if (place === undefined || store?.scheme !== 'named') continue;
      const plan = plans.get(store.name);
      if (plan === undefined)
        found.push({
          place,
          text: `nothing registers the scheme ${store.name}:// (an auth_ds Scheme "${store.name}" would): every login by it is answered as unavailable`,
        });
      else if (option === roles && plan.queryGroups === undefined)
        found.push({ place, text: `Scheme "${plan.name}" has no QueryGroups: nobody has a role by it` });
    }
  }
  return found;
}

const named = (store: StoreAddress | undefined, plans: ReadonlyMap<string, SchemePlan>): SchemePlan | undefined =>
  store?.scheme === 'named' ? plans.get(store.name) : undefined;

function queryTrouble(
  { stanza, query, cache, map }: SchemeQuery,
  generation: Asking,
): { readonly text: string; readonly place: Place | undefined } | undefined {
  const place = (option: Option<unknown>): Place | undefined => stanza.placeOf(option) ?? placeIn({ stanza });
  if (query === undefined) return { text: 'it has no query', place: place(options.query) };
  if (cache === undefined) return { text: 'it has no cache: the name of a Datasource', place: place(options.cache) };
  if (!generation.instances('datasource').includes(cache))
    return { text: `there is no Datasource "${cache}"`, place: place(options.cache) };
  const kind = generation.stanza('datasource', cache).get(datasourceUri)?.[0]?.kind;
  const why = kind && namesTrouble(kind, query, map);
  return why === undefined ? undefined : { text: why, place: place(options.query) };
}

function namesTrouble(kind: StoreKind, query: string, map: ReadonlyMap<string, unknown>): string | undefined {
  try {
    for (const name of namesOf(kind, query))
      if (!map.has(name) && !/^\d/.test(name)) return `its query wants ${name}, and its map has no such name`;
    return undefined;
  } catch (error) {
    if (error instanceof ValueError) return `its query is expected to be ${error.message}`;
    throw error;
  }
}

/** A query that is told no password and gives none says yes to whoever knows a name. */
function openDoor({ returnsPassword, map }: Authenticate): string | undefined {
  if (returnsPassword || uses(map, 'password')) return undefined;
  return 'its query neither returns a password (returns_password) nor is given one (%{password} in its map): everybody would get in';
}

/** @returns why a mechanism cannot work with what a scheme has */
function misfit({ authenticate }: SchemePlan, mechanism: MechanismName): string | undefined {
  if (authenticate === undefined) return 'it has no Authenticate';
  const { returnsPassword, map, type, typeColumn, typeMap } = authenticate;
  if (!returnsPassword) {
    if (mechanism === 'LOGIN' || mechanism === 'PLAIN') return undefined;
    if (mechanism === 'CRAM-MD5')
      return uses(map, 'nonce')
        ? undefined
        : 'its query has to compare what the client made of the password and the challenge, and its map has no %{nonce}';
    return `its query only says yes or no, and ${mechanism} makes the server prove that it knows the password, too: it needs returns_password = true`;
  }
  const fit = typesFor(mechanism);
  const stored: readonly StoredType[] | undefined =
    type !== undefined ? [type] : typeColumn === undefined ? ['clear'] : typeMap && [...typeMap.values()];
  if (stored === undefined || stored.some((each) => fit.includes(each))) return undefined;
  return `passwords are stored as ${stored.join(', ')}, and it needs one of ${fit.join(', ')}`;
}

const uses = (map: Authenticate['map'], name: 'password' | 'nonce'): boolean =>
  [...map.values()].some((template) => template.names.has(name));

function placeIn(query: Pick<SchemeQuery, 'stanza'> | undefined): Place | undefined {
  for (const option of options.authDsOptions) {
    const place = query?.stanza.placeOf(option);
    if (place !== undefined) return place;
  }
  return undefined;
}
