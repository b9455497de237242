import { type Directives, only, quoted, readDirectives } from './digest-directives.ts';
import type { ClientMechanism, ClientStep, ServerMechanism, ServerStep } from './mechanism.ts';
import { challenge, MOST_RESPONSE, malformed, response, unavailable, wrong } from './mechanism.ts';
import { hex, md5, sameSecret, textOf } from './secrets.ts';

/** MD5(user:realm:password) in hexadecimal, as htdigest files have it: of the bytes as typed, in UTF-8. */
export const digestOf = (user: string, realm: string, password: string): string =>
  hex(md5(`${user}:${realm}:${password}`));

/** What one conversation is about. */
export interface DigestTerms {
  readonly realm: string;
  /** Fresh for every conversation, and good for one response in it. */
  readonly nonce: string;
  /** The service that must stand before the slash of `digest-uri`: `smtp`, `console`. */
  readonly service: string;
}

/**
 * DIGEST-MD5 (RFC 2831), `qop=auth` only. The RFC lets a client log in again with the nonce it has (§2.2); we do not:
 * a conversation takes one response, with count 1.
 */
export function digestServer({ realm, nonce, service }: DigestTerms): ServerMechanism {
  return {
    name: 'DIGEST-MD5',
    begin: (initial) =>
      initial === undefined
        ? challenge(`realm=${quoted(realm)},nonce=${quoted(nonce)},qop="auth",charset=utf-8,algorithm=md5-sess`)
        : malformed(),
    respond(bytes): ServerStep {
      const said = bytes.length > MOST_RESPONSE ? undefined : readDirectives(textOf(bytes) ?? '');
      const user = said && only(said, 'username');
      if (said === undefined || user === undefined || user === '') return malformed();
      const answer = responseIn(said);
      if (answer === undefined || (only(said, 'realm') ?? realm) !== realm) return malformed(user);
      const { uri, authorization } = answer;
      if (answer.nonce !== nonce || answer.count !== '00000001') return wrong(user);
      if (uri.slice(0, uri.indexOf('/') + 1).toLowerCase() !== `${service}/`) return malformed(user);
      if (authorization !== undefined && authorization !== '' && authorization !== user) return wrong(user);
      return {
        kind: 'digest wanted',
        user,
        realm,
        offered: { crypt: 'digest-md5', password: answer.response, nonce, realm, digestUri: uri },
        answered(found) {
          if (found.kind === 'unavailable') return unavailable(user);
          const secret = found.kind === 'known' ? found.secret : found.decoy;
          const fits = sameSecret(answer.response, proof(secret, answer, 'AUTHENTICATE'));
          if (!fits || found.kind !== 'known') return wrong(user);
          return { kind: 'granted', user, bytes: Buffer.from(`rspauth=${proof(secret, answer, '')}`) };
        },
      };
    },
  };
}

/** What goes into the proof, besides the secret. */
interface Exchange {
  readonly nonce: string;
  readonly cnonce: string;
  readonly count: string;
  readonly uri: string;
  readonly authorization: string | undefined;
}

function responseIn(said: Directives): (Exchange & { readonly response: string }) | undefined {
  const [nonce, cnonce, count, uri] = ['nonce', 'cnonce', 'nc', 'digest-uri'].map((name) => only(said, name));
  const answer = only(said, 'response');
  if (nonce === undefined || cnonce === undefined || count === undefined || uri === undefined) return undefined;
  if (answer === undefined || !/^[0-9a-f]{32}$/.test(answer) || (only(said, 'qop') ?? 'auth') !== 'auth')
    return undefined;
  if (said.has('charset') && only(said, 'charset')?.toLowerCase() !== 'utf-8') return undefined;
  return { nonce, cnonce, count, uri, authorization: only(said, 'authzid'), response: answer };
}

/** @param verb  `AUTHENTICATE` in the client's proof, nothing in the server's (§2.1.2.1, §2.1.3) */
function proof(secret: string, { nonce, cnonce, count, uri, authorization }: Exchange, verb: string): string {
  const rest = `:${nonce}:${cnonce}${authorization === undefined ? '' : `:${authorization}`}`;
  const first = hex(md5(Buffer.concat([Buffer.from(secret, 'hex'), Buffer.from(rest)])));
  const second = hex(md5(`${verb}:${uri}`));
  return hex(md5(`${first}:${nonce}:${count}:${cnonce}:auth:${second}`));
}

/**
 * @param uri  `digest-uri`: `console/host`
 * @param cnonce  the client's own random text
 */
export function digestClient(user: string, password: string, uri: string, cnonce: string): ClientMechanism {
  let expected: string | undefined;
  return {
    name: 'DIGEST-MD5',
    begin: () => ({ kind: 'response', bytes: undefined }),
    challenge(bytes): ClientStep {
      const said = bytes.length > MOST_RESPONSE ? undefined : readDirectives(textOf(bytes) ?? '');
      const nonce = said && only(said, 'nonce');
      const algorithm = said && only(said, 'algorithm');
      if (said === undefined || nonce === undefined || algorithm?.toLowerCase() !== 'md5-sess')
        return { kind: 'failed', why: 'this is no challenge of DIGEST-MD5' };
      const offered = (only(said, 'qop') ?? 'auth').split(/[ \t]*,[ \t]*/);
      if (!offered.includes('auth')) return { kind: 'failed', why: 'the server wants more than qop=auth' };
      // Of several realms the first is meant: there is nobody to choose.
      const realm = said.get('realm')?.[0] ?? '';
      const exchange = { nonce, cnonce, count: '00000001', uri, authorization: undefined };
      const secret = digestOf(user, realm, password);
      expected = proof(secret, exchange, '');
      return response(
        `charset=utf-8,username=${quoted(user)},realm=${quoted(realm)},nonce=${quoted(nonce)},nc=00000001,` +
          `cnonce=${quoted(cnonce)},digest-uri=${quoted(uri)},response=${proof(secret, exchange, 'AUTHENTICATE')},qop=auth`,
      );
    },
    granted(bytes) {
      const said = bytes === undefined ? undefined : readDirectives(textOf(bytes) ?? '');
      const given = said && only(said, 'rspauth');
      return expected !== undefined && given !== undefined && sameSecret(given, expected);
    },
  };
}
