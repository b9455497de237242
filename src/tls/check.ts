import { addressText, parseCidr } from '../base/index.ts';
import {
  ConfigError,
  ConfigErrors,
  type Generation,
  type Option,
  pathway,
  type SettingStanza,
  type View,
} from '../config/index.ts';
import { TlsError, type TlsTrouble } from '../world/index.ts';
import {
  tlsCa,
  tlsCertificate,
  tlsCiphers,
  tlsClientCa,
  tlsDhparamsFile,
  tlsEcCurveNames,
  tlsEnableDheCiphers,
  tlsKey,
  tlsProtocols,
  tlsSniCertificates,
  tlsv13Ciphersuites,
  useSsl,
} from './options.ts';
import { clientPlan, serverPlan, type TlsPlan } from './plan.ts';
import type { TlsShelf } from './shelf.ts';
import type { CertificateFiles } from './value-types.ts';

/** What SMTP_Extensions is to this check: the list, and whether it offers STARTTLS. */
export interface Offer {
  readonly option: Option<unknown>;
  offers(view: View): boolean;
}

const PATHS = [tlsCertificate, tlsKey, tlsClientCa, tlsCa, tlsDhparamsFile] as const;
const MATERIAL: readonly Option<unknown>[] = [
  ...PATHS,
  tlsSniCertificates,
  tlsCiphers,
  tlsv13Ciphersuites,
  tlsProtocols,
  tlsEcCurveNames,
  tlsEnableDheCiphers,
];
const SENDING = new Set(['global', 'binding_group', 'binding', 'domain']);

/**
 * Reads every file that a configuration names, and makes what each stanza asks for: what is wrong is told with its place
 * before anybody needs it. Files that are readable are on the shelf then.
 *
 * @throws ConfigErrors
 */
export async function checkTls(generation: Generation, shelf: TlsShelf, offer: Offer): Promise<void> {
  const stanzas = generation.settings(MATERIAL);
  const errors = [...(await unreadable(stanzas, shelf))];
  if (errors.length === 0) errors.push(...unusable(stanzas, shelf));
  errors.push(...withoutCertificate(generation, offer));
  if (errors.length > 0) throw new ConfigErrors(errors.sort(byPlace));
}

const byPlace = ({ place: one }: ConfigError, { place: other }: ConfigError): number =>
  one === undefined || other === undefined || one.file !== other.file
    ? 0
    : one.line - other.line || one.column - other.column;

/** Each path is read once; the first stanza that names it is told of. */
async function unreadable(stanzas: readonly SettingStanza[], shelf: TlsShelf): Promise<readonly ConfigError[]> {
  const errors: ConfigError[] = [];
  const seen = new Map<string, string | undefined>();
  for (const stanza of stanzas) {
    for (const { path, option } of pathsIn(stanza)) {
      if (!seen.has(path)) seen.set(path, await shelf.files.read(path));
      const trouble = seen.get(path);
      if (trouble !== undefined) errors.push(new ConfigError(trouble, { place: stanza.placeOf(option) }));
    }
  }
  return errors;
}

function pathsIn(stanza: SettingStanza): readonly { readonly path: string; readonly option: Option<unknown> }[] {
  const found: { path: string; option: Option<unknown> }[] = [];
  for (const option of PATHS) {
    const path = stanza.placeOf(option) === undefined ? undefined : stanza.get(option);
    if (path !== undefined && path.toLowerCase() !== 'none') found.push({ path, option });
  }
  if (stanza.placeOf(tlsSniCertificates) !== undefined) {
    for (const { certificate, key } of stanza.get(tlsSniCertificates))
      for (const path of new Set([certificate, key])) found.push({ path, option: tlsSniCertificates });
  }
  return found;
}

/** What OpenSSL has against the values of stanzas. Ten thousand domains with the same plan cost one context. */
function unusable(stanzas: readonly SettingStanza[], shelf: TlsShelf): readonly ConfigError[] {
  const keyed = aroundKeys(stanzas);
  const sound = new Set<string>();
  const errors: ConfigError[] = [];
  for (const stanza of stanzas) {
    for (const plan of plansOf(stanza, keyed.has(pathText(stanza.path)))) {
      if (sound.has(plan.key)) continue;
      const found = troublesOf(plan, stanza, shelf);
      if (found === undefined) sound.add(plan.key);
      else
        errors.push(
          ...found.filter(({ message, place }) => !errors.some((e) => e.message === message && e.place === place)),
        );
    }
  }
  return errors;
}

/** @param open  its key may stand in a stanza within it: then it is that one which is checked */
function plansOf(stanza: SettingStanza, open: boolean): readonly TlsPlan[] {
  const type = stanza.path.at(-1)?.type ?? '';
  const plans: TlsPlan[] = [];
  if (!open || stanza.get(tlsKey) !== undefined) {
    const server = type === 'global' || !SENDING.has(type) ? serverPlan(stanza) : undefined;
    if (server !== undefined) plans.push(server);
    if (SENDING.has(type)) plans.push(clientPlan(stanza));
  }
  if (plans.length > 0) return plans;
  // Without a certificate the rest of it can be checked all the same.
  const bare = clientPlan(stanza);
  return [{ ...bare, certificates: [], key: `${bare.key} without` }];
}

/** Stanzas that have one with a TLS_Key of its own within them. */
function aroundKeys(stanzas: readonly SettingStanza[]): ReadonlySet<string> {
  const found = new Set<string>();
  for (const stanza of stanzas) {
    if (!sets(stanza, tlsKey)) continue;
    for (let length = 1; length < stanza.path.length; length++) found.add(pathText(stanza.path.slice(0, length)));
  }
  return found;
}

const pathText = (path: SettingStanza['path']): string => JSON.stringify(path);

/** @returns undefined when the plan is sound; what an outer stanza is to blame for is left out */
function troublesOf(plan: TlsPlan, stanza: SettingStanza, shelf: TlsShelf): readonly ConfigError[] | undefined {
  const errors: ConfigError[] = [];
  let error = troubleOf(plan, shelf);
  if (error === undefined) return undefined;
  let rest: TlsPlan | undefined = plan;
  while (error !== undefined && rest !== undefined) {
    const found = complaint(error, rest, stanza, shelf);
    if (found !== undefined) errors.push(found);
    rest = without(rest, error.trouble);
    error = rest && troubleOf(rest, shelf);
  }
  return errors;
}

function troubleOf(plan: TlsPlan, shelf: TlsShelf): TlsError | undefined {
  try {
    shelf.make(plan);
    return undefined;
  } catch (error) {
    if (error instanceof TlsError) return error;
    throw error;
  }
}

/** @returns undefined when an outer stanza is to blame, which is told of there */
function complaint(error: TlsError, plan: TlsPlan, stanza: SettingStanza, shelf: TlsShelf): ConfigError | undefined {
  // One certificate at a time, to name the one that is to blame.
  const at = plan.certificates.findIndex(
    (each) => troubleOf({ ...plan, certificates: [each] }, shelf)?.trouble === error.trouble,
  );
  const to = (at > 0 ? [tlsSniCertificates] : BLAMED[error.trouble]).find((option) => sets(stanza, option));
  return (
    to && new ConfigError(words(error, stanza, plan.certificates[at]), { place: stanza.placeOf(to), cause: error })
  );
}

/** The same plan without what was just found to be wrong, so that all is told at once. */
function without(plan: TlsPlan, trouble: TlsTrouble): TlsPlan | undefined {
  switch (trouble) {
    case 'ciphers':
      return plan.rest.ciphers === 'DEFAULT' ? undefined : { ...plan, rest: { ...plan.rest, ciphers: 'DEFAULT' } };
    case 'curves':
      return { ...plan, rest: { ...plan.rest, curves: undefined } };
    case 'dh':
      return { ...plan, dh: 'built in' };
    case 'authorities':
      return { ...plan, authorities: 'nobody' };
    default:
      return plan.certificates.length === 0 ? undefined : { ...plan, certificates: [] };
  }
}

const sets = (stanza: SettingStanza, option: Option<unknown>): boolean => stanza.placeOf(option) !== undefined;

const BLAMED: Readonly<Record<TlsTrouble, readonly Option<unknown>[]>> = {
  certificate: [tlsCertificate],
  key: [tlsKey, tlsCertificate],
  mismatch: [tlsKey, tlsCertificate],
  authorities: [tlsClientCa, tlsCa],
  ciphers: [tlsCiphers, tlsEnableDheCiphers],
  curves: [tlsEcCurveNames],
  dh: [tlsDhparamsFile],
  other: [tlsCertificate, tlsKey],
};

function words(error: TlsError, stanza: SettingStanza, files: CertificateFiles | undefined): string {
  const { certificate = '', key = '' } = files ?? {};
  switch (error.trouble) {
    case 'certificate':
      return `there is no usable certificate in ${certificate}: ${error.message}`;
    case 'key':
      return key === certificate
        ? `there is no usable key in ${certificate}, and no TLS_Key: ${error.message}`
        : `there is no usable key in ${key}: ${error.message}`;
    case 'mismatch':
      return `${error.message}: ${key} and ${certificate}`;
    case 'authorities':
      return `no usable list of authorities: ${error.message}`;
    case 'ciphers':
      return `'${stanza.get(tlsCiphers)}' leads to no cipher of OpenSSL: ${error.message}`;
    case 'curves':
      return `invalid curve or group list '${stanza.get(tlsEcCurveNames) ?? ''}': ${error.message}`;
    case 'dh':
      return `${stanza.get(tlsDhparamsFile) ?? ''} has no usable DH parameters: ${error.message}`;
    case 'other':
      return error.message;
  }
}

/** Use_SSL and STARTTLS want a certificate, and not each other (manual: Inbound SSL). */
function withoutCertificate(generation: Generation, offer: Offer): readonly ConfigError[] {
  const errors: ConfigError[] = [];
  const told = new Set<string>();
  const complain = (text: string, view: View, option: Option<unknown>): void => {
    const { key, place } = view.owner(option);
    if (told.has(`${key} ${text}`)) return;
    told.add(`${key} ${text}`);
    errors.push(new ConfigError(text, { place }));
  };
  const clients = clientsOf(generation, offer);
  for (const { listener, endpoint, view } of generation.listens()) {
    const plain = [view, ...clients.map((client) => generation.receiving(listener, endpoint, client))];
    for (const [at, outer] of plain.entries()) {
      const name = outer.get(pathway);
      // Nobody in particular has an address that only a block of everybody holds.
      const each =
        name === undefined ? outer : generation.receiving(listener, endpoint, clients[at - 1] ?? '0.0.0.0', name);
      const offers = listener === 'esmtp_listener' && offer.offers(each);
      const bare = serverPlan(each) === undefined;
      if (each.get(useSsl) && bare) complain('Use_SSL needs a TLS_Certificate', each, useSsl);
      else if (offers && !each.get(useSsl) && bare)
        complain('STARTTLS in SMTP_Extensions needs a TLS_Certificate', each, offer.option);
      else if (offers && each.get(useSsl) && each.owner(useSsl).key === each.owner(offer.option).key)
        complain('Use_SSL and STARTTLS exclude each other', each, useSsl);
    }
  }
  return errors;
}

/** An address out of each block that has a Peer stanza with a say in it. */
function clientsOf(generation: Generation, offer: Offer): readonly string[] {
  return generation.settings([tlsCertificate, useSsl, offer.option]).flatMap(({ path }) => {
    const last = path.at(-1);
    const cidr = last?.type === 'peer' ? parseCidr(last.instance) : undefined;
    return cidr === undefined ? [] : [addressText(cidr.bytes)];
  });
}
