import { describe, expect, test } from 'vitest';
import { readLdapUrl } from './ldap-url.ts';
import { bindQuery, namesOf } from './question.ts';
import { bindSql } from './sql-placeholders.ts';
import { readStoreUri } from './store-uri.ts';

const NASTY = `x' OR '1'='1'; -- \\" *)(uid=*))(|(,cn=admin`;
const of = (values: Record<string, string | null>) => new Map(Object.entries(values));

describe('SQL', () => {
  test('values never become text, whatever they are', () => {
    expect(bindSql('pgsql', 'SELECT 1 WHERE a = :user AND b = $user AND c = :n', of({ user: NASTY, n: null }))).toEqual(
      {
        kind: 'sql',
        text: 'SELECT 1 WHERE a = $1 AND b = $2 AND c = $3',
        values: [NASTY, NASTY, null],
      },
    );
    expect(bindSql('mysql', 'SELECT :a, ?, ?', of({ a: 'A', '1': 'one', '2': 'two' }))).toEqual({
      kind: 'sql',
      text: 'SELECT ?, ?, ?',
      values: ['A', 'one', 'two'],
    });
  });

  test.each([
    ['pgsql', `SELECT ':a', "x:a", a::text, $t$ :a $t$, $$ :a $$, E'\\':a', v[1:2] -- :a`],
    ['pgsql', 'SELECT data ? 1 /* :a */'],
    ['mysql', 'SELECT \'\\\':a\', "\\":a", `:a`, @x:=1 # :a\n'],
    ['sqlite', "SELECT 'it''s :a', x$a, `?`"],
  ] as const)('%s: what is no placeholder stays as it is: %s', (kind, sql) => {
    expect(bindSql(kind, sql, new Map())).toEqual({ kind: 'sql', text: sql, values: [] });
  });

  test('a placeholder without a value is an error that names it', () => {
    expect(() => bindSql('sqlite', 'SELECT :user', new Map())).toThrow('there is no parameter user');
  });

  test('statements that never end are read all the same', () => {
    for (const end of ["'", '"', '`', '/*', '$a$', "E'\\"])
      expect(namesOf('pgsql', `SELECT :a ${end}`)).toEqual(new Set(['a']));
  });
});

describe('LDAP', () => {
  const around = readLdapUrl('ldap://10.0.0.9/dc=example,dc=com??sub');
  const bound = (query: string, values: Record<string, string>) => bindQuery('ldap', query, of(values), around);

  test('a value cannot leave its place in a filter or a DN', () => {
    expect(bound('ldap:///?mail,sn??(|(uid=$user)(mail=$user))', { user: '*)(a=b\\' })).toMatchObject({
      question: {
        kind: 'search',
        base: 'dc=example,dc=com',
        scope: 'sub',
        attributes: ['mail', 'sn'],
        filter: '(|(uid=\\2a\\29\\28a=b\\5c)(mail=\\2a\\29\\28a=b\\5c))',
      },
      apart: undefined,
    });
    expect(bound('ldap:///uid=$user%2Cou=people?cn', { user: 'a,ou=b+c ' }).question).toMatchObject({
      base: 'uid=a\\,ou\\=b\\+c\\ ,ou=people',
    });
  });

  test('bind only, as the manual has it: a question mark or a comma in the password changes nothing', () => {
    const query = 'ldap:///????bindname=uid=$user%2Cou=people%2Cdc=example%2Cdc=com,x-bindpw=$pass';
    expect(bound(query, { user: 'ann', pass: 'a?b,c%20$user' })).toEqual({
      question: { kind: 'bound' },
      apart: {
        host: '10.0.0.9',
        port: 389,
        tls: false,
        bind: { dn: 'uid=ann,ou=people,dc=example,dc=com', password: 'a?b,c%20$user' },
        own: true,
      },
      timeoutMillis: 6000,
    });
    expect(namesOf('ldap', query)).toEqual(new Set(['user', 'pass']));
  });

  test.each([
    ['ldap://h:x/', 'host:port'],
    ['ldap://h/??all', 'base, one or sub'],
    ['ldap://h/????x-bindpv=a', 'did you mean x-bindpw?'],
    ['ldap://h/????x-ldap-version=2', 'x-ldap-version = 3'],
    ['ldap://h/????x-ignore-referrals=0', 'referrals are not followed'],
    ['ldap://h/%zz', 'hexadecimal'],
    ['http://h/', 'an LDAP URL'],
  ])('%s is refused', (url, why) => {
    expect(() => readLdapUrl(url)).toThrow(why);
  });
});

describe('Redis', () => {
  test('a value stays in its word', () => {
    expect(
      bindQuery('redis', `HGET user:$user "pass word" 'x y'`, of({ user: 'a b\r\nFLUSHALL' }), undefined).question,
    ).toEqual({
      kind: 'redis',
      words: ['HGET', 'user:a b\r\nFLUSHALL', 'pass word', 'x y'],
    });
  });

  test.each(['SUBSCRIBE x', 'select 3', '', '$cmd x', 'GET "x'])('%j is refused', (query) => {
    expect(() => namesOf('redis', query)).toThrow(/a Redis command/);
  });
});

describe('uris', () => {
  test.each([
    ['sqlite:/var/db/x.db', { kind: 'sqlite', path: '/var/db/x.db' }],
    [
      "pgsql:host=db.example;dbname=mail; user=u;password='a;b''c';port=5433;sslmode=verify-full",
      {
        kind: 'pgsql',
        host: 'db.example',
        port: 5433,
        database: 'mail',
        user: 'u',
        password: "a;b'c",
        tls: 'verified',
      },
    ],
    [
      'pgsql:host=db dbname=mail user=u',
      { kind: 'pgsql', host: 'db', port: 5432, database: 'mail', user: 'u', tls: 'offered' },
    ],
    [
      'mysql:host=localhost;port=3306;dbname=ecmail;user=user;password=p=w',
      { kind: 'mysql', password: 'p=w', tls: 'never' },
    ],
    ['mariadb:unix_socket=/run/my.sock', { kind: 'mysql', host: '/run/my.sock' }],
    [
      'postgresql://u%40x:p%3A@[::1]:5/d?sslmode=disable',
      { host: '::1', port: 5, user: 'u@x', password: 'p:', database: 'd', tls: 'never' },
    ],
    ['redis://:secret@r/2', { kind: 'redis', host: 'r', port: 6379, database: 2, password: 'secret' }],
    ['rediss://r', { tls: 'verified' }],
    [
      'ldaps://[2001:db8::1]/????bindname=cn=admin%2Cdc=x,x-bindpw=p',
      { kind: 'ldap', host: '2001:db8::1', port: 636, tls: true, bind: { dn: 'cn=admin,dc=x', password: 'p' } },
    ],
  ])('%s', (uri, target) => {
    expect(readStoreUri(uri)?.target).toMatchObject(target);
  });

  test('no title has a password', () => {
    for (const uri of ['pgsql:host=a;password=geheim', 'redis://:geheim@a', 'ldap://h/????bindname=a,x-bindpw=geheim'])
      expect(readStoreUri(uri)?.title).not.toContain('geheim');
  });

  test.each([
    ['pqsql:host=x', 'did you mean pgsql:?'],
    ['nothing', 'a uri that begins with'],
    ['pgsql:hots=x', 'did you mean host?'],
    ['pgsql:host=x;host=y', 'once'],
    ['pgsql:host=x;port=99999', 'a port from 1'],
    ['pgsql:just words', 'host=…'],
    ['mysql:sslmode=maybe', 'sslmode'],
    ['sqlite:relative', 'absolute path'],
    ['redis:db=x', 'a number for db'],
    ['ldap:///dc=x', 'a host'],
    ['ldap://h/$user', 'without $names'],
  ])('%s is refused, in words', (uri, why) => {
    expect(() => readStoreUri(uri)).toThrow(why);
  });

  test('drivers that are not there yet are known', () => {
    for (const uri of ['odbc:DSN=x', 'csv:', 'cdb:/x', 'iowrapper:']) expect(readStoreUri(uri)).toBeUndefined();
  });
});
