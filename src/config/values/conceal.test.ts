import { expect, test } from 'vitest';
import { concealed, concealedValue } from './conceal.ts';

test.for([
  ["pgsql:host=db;password='it's;x", 'pgsql:host=db;password=***'],
  ['( "mysql:password=a;b" "sqlite:/x" )', '( "mysql:password=***'],
  ['redis://:word@host/0 redis://u:w:x@other', 'redis://:***@host/0 redis://u:***@other'],
  [
    'ldap:///?mail??sub?(uid=$user)?bindname=cn=a,x-bindpw=word',
    'ldap:///?mail??sub?(uid=$user)?bindname=cn=a,x-bindpw=***',
  ],
  ['postgresql://user@host/db', 'postgresql://user@host/db'],
  ['redis://:pa/ss@host', 'redis://:***@host'],
  ['Passat = 7', 'Passat = 7'],
] as const)('%s is shown as %s', ([text, shown]) => {
  expect(concealed(text)).toBe(shown);
});

test('the value of an option that is a secret as a whole is not shown at all', () => {
  expect(concealedValue('Outbound_SMTP_Auth_Pass', '( a b )')).toBe('***');
  expect(concealedValue('Password_Column', '( a b )')).toBe('( a b )');
});
