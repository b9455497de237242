import { createHash } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { expect, type TestContext, test } from 'vitest';
import { digestOf, type MechanismName } from '../../src/auth/index.ts';
import { DatasourceError } from '../../src/datasource/index.ts';
import { eventually, Scratch } from '../end-to-end/harness.ts';
import { StoreHouse } from './house.ts';
import { mariadb, needStores, PASSWORD, postgres, redis, type StoreServer, slapd, USER } from './stores.ts';

const ALL: readonly MechanismName[] = ['LOGIN', 'PLAIN', 'CRAM-MD5', 'DIGEST-MD5', 'SCRAM-SHA-256'];
const NASTY = `x' OR '1'='1' -- *)(uid=*`;
const ssha = (password: string): string => {
  const salt = Buffer.from('8bytesof');
  return `{SSHA}${Buffer.concat([createHash('sha1').update(password).update(salt).digest(), salt]).toString('base64')}`;
};

/** Users of a table: one with a password in clear text, one for whom DIGEST-MD5's hash is kept, one with SSHA. */
const TABLE = [
  'CREATE TABLE users (name varchar(80) PRIMARY KEY, password varchar(200), form varchar(20), active boolean)',
  'CREATE TABLE members (name varchar(80), team varchar(80))',
  "INSERT INTO users VALUES ('ann', 'sécret', 'C', true)",
  `INSERT INTO users VALUES ('dora', '${digestOf('dora', 'mx.example', 'secret')}', 'D', true)`,
  `INSERT INTO users VALUES ('sam', '${ssha('secret')}', 'S', true)`,
  "INSERT INTO users VALUES ('ned', NULL, 'C', true)",
  "INSERT INTO members VALUES ('ann', 'admins'), ('ann', 'operators'), ('sam', 'operators')",
];

const SCHEMES = `
  auth_ds {
    Scheme "stored" {
      Authenticate {
        query = "SELECT form, password FROM users WHERE name = :user AND active"
        cache = "db" map = [ user = "%{username}" ]
        returns_password = true password_column = "password" type_column = "form"
        type_map = [ C = "clear" D = "digest-md5" S = "ssha1" ]
      }
      QueryGroups { query = "SELECT team FROM members WHERE name = $user ORDER BY team" cache = "db" map = [ user = "%{username}" ] group_column = "team" }
      EnumGroups { query = "SELECT DISTINCT team FROM members ORDER BY team" cache = "db" }
    }
    Scheme "judging" {
      Authenticate {
        query = "SELECT count(*) FROM users WHERE name = :user AND password = :pass"
        cache = "db" map = [ user = "%{username}" pass = "%{password}" ]
      }
    }
  }`;

async function loginsBySql(house: StoreHouse): Promise<void> {
  for (const mechanism of ALL) {
    expect([mechanism, await house.login(mechanism, 'stored://', 'ann', 'sécret')]).toEqual([mechanism, 'granted']);
    for (const [user, password] of [
      ['ann', 'wrong'],
      ['nobody', 'sécret'],
      ['ned', ''],
      [NASTY, NASTY],
    ] as const)
      expect([mechanism, user, await house.login(mechanism, 'stored://', user, password)]).toEqual([
        mechanism,
        user,
        'credentials',
      ]);
  }
  for (const mechanism of ['PLAIN', 'DIGEST-MD5'] as const)
    expect(await house.login(mechanism, 'stored://', 'dora', 'secret')).toBe('granted');
  expect(await house.login('PLAIN', 'stored://', 'sam', 'secret')).toBe('granted');
  expect(await house.login('CRAM-MD5', 'stored://', 'sam', 'secret')).toBe('credentials');
  expect(await house.login('LOGIN', 'judging://', 'ann', 'sécret')).toBe('granted');
  expect(await house.login('LOGIN', 'judging://', 'ann', NASTY)).toBe('credentials');
  const store = { scheme: 'named', name: 'stored', uri: 'stored://' } as const;
  expect(await house.stores.rolesOf(store, 'ann')).toEqual(['admins', 'operators']);
  expect(await house.stores.rolesOf(store, NASTY)).toEqual([]);
  expect(await house.stores.roles(store)).toEqual(['admins', 'operators']);
}

/** Taken down and up again under queries: unavailable at once, nothing breaks, and it works again by itself. */
async function survives(house: StoreHouse, server: StoreServer, login: () => Promise<string>): Promise<void> {
  house.house.datasources.find('db')?.flush();
  await server.down();
  const began = performance.now();
  for (let count = 0; count < 20; count++) expect(await login()).toBe('unavailable');
  expect(performance.now() - began).toBeLessThan(2000);
  expect(house.told.filter((line) => line.includes('is down'))).toHaveLength(1);
  await server.up();
  await eventually('the datasource is back', async () => (await login()) === 'granted');
  expect(house.told.at(-1)).toContain('answers again');
  // In order this time, and up again before anybody asks: nobody notices.
  house.house.datasources.find('db')?.flush();
  await server.down('stopped');
  await server.up();
  expect(await login()).toBe('granted');
}

test('PostgreSQL', async (context: TestContext) => {
  needStores(context);
  await using server = await postgres();
  for (const text of TABLE) await server.asks({ kind: 'sql', text, values: [] });
  const uri = `pgsql:host=127.0.0.1;port=${server.port};dbname=postgres;user=${USER};password='${PASSWORD.replace("'", "''")}'`;
  using house = await StoreHouse.with(
    `Datasource "db" { uri = ( "${uri}" ) max_rows = 3 query_timeout = 1 } ${SCHEMES}`,
  );
  await loginsBySql(house);
  const db = house.house.datasources.find('db');
  const nothing = new Map<string, string>();
  const types = "SELECT 1 AS a, true AS b, false AS c, NULL AS d, 'é'::bytea AS e, 1.50 AS f, '{1,2}'::int[] AS g";
  expect(await db?.query(types, nothing)).toEqual({
    columns: ['a', 'b', 'c', 'd', 'e', 'f', 'g'],
    rows: [['1', '1', '0', null, 'é', '1.50', '{1,2}']],
  });
  expect((await db?.query('SELECT generate_series(1, 100000)', nothing))?.rows).toEqual([['1'], ['2'], ['3']]);
  await expect(db?.query('SELECT nothing', nothing)).rejects.toThrow(/column "nothing" does not exist/);
  await expect(db?.query('SELECT :v::int', new Map([['v', 'pass']]))).rejects.toThrow(/for type integer: "…"$/);
  await expect(db?.query('SELECT pg_sleep(9)', nothing)).rejects.toThrow(/no answer within 1 s/);
  await survives(house, server, () => house.login('PLAIN', 'stored://', 'ann', 'sécret'));
  // With the wrong password nobody gets in, and the operator reads why.
  await house.takes(`Datasource "db" { uri = ( "${uri.replace(/password=.*/, 'password=x')}" ) } ${SCHEMES}`);
  expect(await house.login('PLAIN', 'stored://', 'ann', 'sécret')).toBe('unavailable');
  expect(house.told.at(-1)).toMatch(
    /^ERROR IMP_DATASOURCE datasource db: pgsql:host=127.* is down: password authentication failed/,
  );
});

test('MariaDB', async (context: TestContext) => {
  needStores(context);
  await using server = await mariadb();
  for (const text of TABLE) await server.asks({ kind: 'sql', text, values: [] });
  const uri = `mysql:host=127.0.0.1;port=${server.port};dbname=mail;user=${USER};password='${PASSWORD.replace("'", "''")}'`;
  using house = await StoreHouse.with(
    `Datasource "db" { uri = ( "${uri}" ) max_rows = 3 query_timeout = 1 } ${SCHEMES}`,
  );
  await loginsBySql(house);
  const db = house.house.datasources.find('db');
  const nothing = new Map<string, string>();
  expect(
    await db?.query(
      "SELECT 1 AS a, TRUE AS b, NULL AS c, x'c3a9' AS d, 1.50 AS e, 9007199254740993 AS f, DATE '2026-01-02' AS g",
      nothing,
    ),
  ).toEqual({
    columns: ['a', 'b', 'c', 'd', 'e', 'f', 'g'],
    rows: [['1', '1', null, 'é', '1.50', '9007199254740993', '2026-01-02']],
  });
  await expect(db?.query('SELECT nothing', nothing)).rejects.toThrow(/Unknown column/);
  await expect(db?.query('SELECT sleep(9)', nothing)).rejects.toThrow(/no answer within 1 s/);
  await survives(house, server, () => house.login('PLAIN', 'stored://', 'ann', 'sécret'));
});

test('Redis', async (context: TestContext) => {
  needStores(context);
  await using server = await redis();
  for (const words of [
    ['HSET', 'user:ann', 'password', 'sécret', 'team', 'admins'],
    ['SADD', 'teams:ann', 'admins', 'operators'],
  ])
    await server.asks({ kind: 'redis', words });
  using house = await StoreHouse.with(`
    Datasource "db" { uri = ( "redis:host=127.0.0.1;port=${server.port};password='${PASSWORD.replace("'", "''")}'" ) }
    auth_ds {
      Scheme "stored" {
        Authenticate { query = "HGETALL user:$user" cache = "db" map = [ user = "%{username}" ] returns_password = true password_column = "password" type = "clear" }
        QueryGroups { query = "SMEMBERS teams:$user" cache = "db" map = [ user = "%{username}" ] }
      }
    }`);
  for (const mechanism of ALL) {
    expect(await house.login(mechanism, 'stored://', 'ann', 'sécret')).toBe('granted');
    expect(await house.login(mechanism, 'stored://', 'ann', 'wrong')).toBe('credentials');
    expect(await house.login(mechanism, 'stored://', NASTY, 'sécret')).toBe('credentials');
  }
  expect(
    [...((await house.stores.rolesOf({ scheme: 'named', name: 'stored', uri: 'stored://' }, 'ann')) ?? [])].sort(),
  ).toEqual(['admins', 'operators']);
  await expect(house.house.datasources.find('db')?.query('HGET teams:ann x', new Map())).rejects.toThrow(/WRONGTYPE/);
  await survives(house, server, () => house.login('PLAIN', 'stored://', 'ann', 'sécret'));
});

const ENTRIES = `dn: dc=example,dc=com
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: ou=people,dc=example,dc=com
objectClass: organizationalUnit
ou: people

dn: uid=ann,ou=people,dc=example,dc=com
objectClass: inetOrgPerson
uid: ann
cn: Ann
sn: A
mail: ann@example.com
mail: ann.a@example.com
title: clear
employeeType: secret
userPassword: ${ssha('secret')}

dn: cn=operators,dc=example,dc=com
objectClass: groupOfNames
cn: operators
member: uid=ann,ou=people,dc=example,dc=com
`;

test('LDAP', async (context: TestContext) => {
  needStores(context);
  await using server = await slapd(ENTRIES);
  const bind = `bindname=cn=${USER}%2Cdc=example%2Cdc=com,x-bindpw=${encodeURIComponent(PASSWORD)}`;
  using house = await StoreHouse.with(`
    ds_ldap { connection_cache_size = 2 connection_cache_life = 60 }
    Datasource "db" { uri = ( "ldap://127.0.0.1:${server.port}/dc=example,dc=com??sub??${bind}" ) }
    auth_ds {
      Scheme "binding" {
        Authenticate {
          query = "ldap:///????bindname=uid=$user%2Cou=people%2Cdc=example%2Cdc=com,x-bindpw=$pass"
          cache = "db" map = [ user = "%{username}" pass = "%{password}" ]
        }
        QueryGroups { query = "ldap:///?cn?sub?(&(objectClass=groupOfNames)(member=uid=$user,ou=people,dc=example,dc=com))" cache = "db" map = [ user = "%{username}" ] group_column = "cn" }
      }
      Scheme "stored" {
        Authenticate {
          query = "ldap:///?employeeType,title?sub?(|(uid=$user)(mail=$user))"
          cache = "db" map = [ user = "%{username}" ]
          returns_password = true password_column = "employeetype" type_column = "title" type_map = [ clear = "clear" ]
        }
      }
      Scheme "hashed" {
        Authenticate {
          query = "ldap:///?userPassword?sub?(uid=$user)" cache = "db" map = [ user = "%{username}" ]
          returns_password = true password_column = "userPassword" type = "rfc2307"
        }
      }
    }`);
  for (const mechanism of ['LOGIN', 'PLAIN'] as const) {
    for (const scheme of ['binding://', 'hashed://', 'stored://']) {
      expect([scheme, await house.login(mechanism, scheme, 'ann', 'secret')]).toEqual([scheme, 'granted']);
      // No password at all: a directory says yes to such a bind, and we do not.
      for (const [user, password] of [
        ['ann', 'wrong'],
        ['ann', ''],
        ['nobody', 'secret'],
        ['*', 'secret'],
        ['', ''],
        [NASTY, 'secret'],
      ] as const) {
        const result = await house.login(mechanism, scheme, user, password);
        expect([scheme, user, password, result]).toEqual([
          scheme,
          user,
          password,
          user === '' ? 'malformed' : 'credentials',
        ]);
      }
    }
  }
  for (const mechanism of ALL)
    expect(await house.login(mechanism, 'stored://', 'ann.a@example.com', 'secret')).toBe('granted');
  expect(await house.stores.rolesOf({ scheme: 'named', name: 'binding', uri: 'binding://' }, 'ann')).toEqual([
    'operators',
  ]);
  const db = house.house.datasources.find('db');
  expect(await db?.query('ldap:///?mail,cn?sub?(uid=ann)?x-return-dn=name', new Map())).toEqual({
    columns: ['name', 'mail', 'cn'],
    rows: [['uid=ann,ou=people,dc=example,dc=com', ['ann@example.com', 'ann.a@example.com'], 'Ann']],
  });
  expect((await db?.query('ldap:///ou=none,dc=example,dc=com?cn?sub?(uid=ann)', new Map()))?.rows).toEqual([]);
  await expect(db?.query('ldap:///?cn?sub?(uid=', new Map())).rejects.toThrow(DatasourceError);
  expect(
    [...(house.house.commands.find(({ words }) => words === 'ds_ldap show connection cache stats')?.run([]) ?? [])].at(
      -1,
    ),
  ).toMatch(/^db +1 +1 +0$/);
  await survives(house, server, () => house.login('PLAIN', 'binding://', 'ann', 'secret'));
});

test('SQLite', async () => {
  using scratch = new Scratch();
  const path = `${scratch.path}/users.db`;
  const database = new DatabaseSync(path);
  for (const text of TABLE) database.exec(text);
  using house = await StoreHouse.with(`Datasource "db" { uri = ( "sqlite:${path}" ) query_timeout = 1 } ${SCHEMES}`);
  await loginsBySql(house);
  const db = house.house.datasources.find('db');
  const nothing = new Map<string, string>();
  await expect(db?.query('SELECT none', nothing)).rejects.toThrow(/no such column/);
  const forever = 'WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n';
  await expect(db?.query(forever, nothing)).rejects.toThrow(/no answer within 1 s/);
  await db?.query("INSERT INTO members VALUES ('zoe', :team)", new Map([['team', NASTY]]), { changes: true });
  expect((await db?.query("SELECT team FROM members WHERE name = 'zoe'", nothing))?.rows).toEqual([[NASTY]]);
  await house.takes(`Datasource "db" { uri = ( "sqlite:${path}.none" ) } ${SCHEMES}`);
  expect(await house.login('PLAIN', 'stored://', 'ann', 'sécret')).toBe('unavailable');
  database.close();
});
