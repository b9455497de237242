import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { millis } from '../base/index.ts';
import { introspectionRequest, readIntrospection, type TokenDemands } from './introspection.ts';

const NOW = millis(1_700_000_000_000);
const SECONDS = NOW / 1000;
const ANYBODY: TokenDemands = { userClaims: ['username', 'sub', 'email'], scopes: [], audience: undefined };

/** `ann` for who may come in, else why not. */
function judged(answer: unknown, demands: Partial<TokenDemands> = {}): string {
  const text = typeof answer === 'string' ? answer : JSON.stringify(answer);
  const said = readIntrospection(Buffer.from(text), { ...ANYBODY, ...demands }, NOW);
  if (said.kind === 'garbage') return `garbage: ${said.why}`;
  if (said.verdict.kind === 'right') return said.verdict.user;
  return said.verdict.kind === 'wrong' ? said.verdict.why : said.verdict.kind;
}

describe('a question', () => {
  const asked = (...who: [(string | undefined)?, (string | undefined)?]) => {
    const { headers, body } = introspectionRequest('a+b/c==', who[0], who[1]);
    return [headers.authorization, Buffer.from(body).toString()];
  };
  const body = 'token=a%2Bb%2Fc%3D%3D&token_type_hint=access_token';

  test('has the token as a form, and who asks as RFC 6749 wants it', () => {
    expect(asked()).toEqual([undefined, body]);
    expect(asked('mx')).toEqual([undefined, `${body}&client_id=mx`]);
    expect(asked('mx', 's')).toEqual([`Basic ${Buffer.from('mx:s').toString('base64')}`, body]);
    expect(asked('m:x ü', 'a%&b')).toEqual([`Basic ${Buffer.from('m%3Ax+%C3%BC:a%25%26b').toString('base64')}`, body]);
  });
});

describe('an answer', () => {
  test.each<[string, unknown, Partial<TokenDemands>, string]>([
    ['active', { active: true, username: 'ann' }, {}, 'ann'],
    ['not active', { active: false, username: 'ann' }, {}, 'invalid_token'],
    ['sub where there is no username', { active: true, sub: 'ann', email: 'a@b' }, {}, 'ann'],
    ['email where there is nothing else', { active: true, email: 'a@b' }, {}, 'a@b'],
    ['the one claim that is wanted', { active: true, username: 'ann', email: 'a@b' }, { userClaims: ['email'] }, 'a@b'],
    ['and no other', { active: true, username: 'ann' }, { userClaims: ['email'] }, 'invalid_token'],
    ['a user that every object has', { active: true }, { userClaims: ['constructor'] }, 'invalid_token'],
    ['a user that is no text', { active: true, username: 7, sub: 'ann' }, {}, 'invalid_token'],
    ['a user without a letter', { active: true, username: '' }, {}, 'invalid_token'],
    ['a user of 255 letters', { active: true, username: 'a'.repeat(255) }, {}, 'a'.repeat(255)],
    ['a user of 256 letters', { active: true, username: 'a'.repeat(256) }, {}, 'invalid_token'],
    ['a second before the end', { active: true, sub: 'ann', exp: SECONDS + 1 }, {}, 'ann'],
    ['the end', { active: true, sub: 'ann', exp: SECONDS }, {}, 'invalid_token'],
    ['all scopes', { active: true, sub: 'ann', scope: 'c b a' }, { scopes: ['a', 'b'] }, 'ann'],
    ['scopes as a list', { active: true, sub: 'ann', scope: ['a', 'b'] }, { scopes: ['a', 'b'] }, 'ann'],
    ['one scope too few', { active: true, sub: 'ann', scope: 'a' }, { scopes: ['a', 'b'] }, 'insufficient_scope'],
    ['part of a scope', { active: true, sub: 'ann', scope: 'mail.read' }, { scopes: ['mail'] }, 'insufficient_scope'],
    ['no scope', { active: true, sub: 'ann' }, { scopes: ['a'] }, 'insufficient_scope'],
    ['the audience', { active: true, sub: 'ann', aud: 'mx' }, { audience: 'mx' }, 'ann'],
    ['one of the audience', { active: true, sub: 'ann', aud: ['web', 'mx'] }, { audience: 'mx' }, 'ann'],
    ['another audience', { active: true, sub: 'ann', aud: 'mx2' }, { audience: 'mx' }, 'invalid_token'],
    ['no audience', { active: true, sub: 'ann' }, { audience: 'mx' }, 'invalid_token'],
    ['a bearer token', { active: true, sub: 'ann', token_type: 'bearer' }, {}, 'ann'],
    ['a token of another type', { active: true, sub: 'ann', token_type: 'DPoP' }, {}, 'invalid_token'],
    ['a token to get others with', { active: true, sub: 'ann', token_use: 'refresh_token' }, {}, 'invalid_token'],
    ['a token bound to a key', { active: true, sub: 'ann', cnf: { jkt: 'x' } }, {}, 'invalid_token'],
    ['no active', { sub: 'ann' }, {}, 'garbage: no active in it'],
    ['an active that is a text', { active: 'true', sub: 'ann' }, {}, 'garbage: no active in it'],
    ['an exp that is a text', { active: true, sub: 'ann', exp: 'x' }, {}, 'garbage: an exp that is no time'],
    ['a list', [{ active: true }], {}, 'garbage: no JSON object'],
    ['nothing', '', {}, 'garbage: no JSON object'],
    ['null', 'null', {}, 'garbage: no JSON object'],
    ['a page', '<html>', {}, 'garbage: no JSON object'],
    ['half of it', '{"active":true', {}, 'garbage: no JSON object'],
  ])('%s', (_, answer, demands, wanted) => {
    expect(judged(answer, demands)).toBe(wanted);
  });

  test('that is not UTF-8 is garbage', () => {
    expect(readIntrospection(Buffer.from('{"active":true,"sub":"\xfc"}', 'latin1'), ANYBODY, NOW).kind).toBe('garbage');
  });

  test('lets nobody in unless it is active, whatever else it says', () => {
    fc.assert(
      fc.property(fc.json(), fc.dictionary(fc.string(), fc.jsonValue()), (text, claims) => {
        expect(readIntrospection(Buffer.from(text), ANYBODY, NOW)).not.toMatchObject({ verdict: { kind: 'right' } });
        const inactive = JSON.stringify({ ...claims, active: false });
        expect(readIntrospection(Buffer.from(inactive), ANYBODY, NOW)).toMatchObject({ verdict: { kind: 'wrong' } });
      }),
    );
  });
});
