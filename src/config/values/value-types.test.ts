import { describe, expect, test } from 'vitest';
import type { ConfigError } from '../errors.ts';
import {
  array,
  arrayOf,
  bigInteger,
  boolean,
  cidrs,
  dictionary,
  domainList,
  duration,
  endpoint,
  enumeration,
  exactDictionary,
  float,
  integer,
  integerBetween,
  milliseconds,
  mode,
  optional,
  path,
  percent,
  port,
  range,
  regex,
  size,
  text,
  throttle,
  ValueError,
  type ValueType,
} from '../index.ts';
import { parseValue } from '../text/grammar.ts';

function read<T>(type: ValueType<T>, written: string): T {
  const errors: ConfigError[] = [];
  const raw = parseValue(written, 'f', errors);
  expect(errors).toEqual([]);
  return type.read(raw ?? expect.fail('no value'));
}

const accepted: readonly (readonly [string, ValueType<unknown>, readonly (readonly [string, unknown])[]])[] = [
  [
    'boolean',
    boolean,
    [
      ...['true', 'on', 'enabled', '1', 'yes', 'TRUE', '"On"'].map((word) => [word, true] as const),
      ...['false', 'off', 'disabled', '0', 'no', 'Disabled', '"0"'].map((word) => [word, false] as const),
    ],
  ],
  [
    'integer',
    integer,
    [
      ['0', 0],
      ['-1', -1],
      ['-0', 0],
      ['"42"', 42],
      ['007', 7],
      ['9007199254740991', Number.MAX_SAFE_INTEGER],
      ['( 5 )', 5],
    ],
  ],
  [
    'integer of 64 bits',
    bigInteger,
    [
      ['5', 5],
      ['9223372036854775807', 9223372036854775807n],
      ['-9223372036854775808', -9223372036854775808n],
    ],
  ],
  [
    'integer in a range',
    integerBetween(1, 3),
    [
      ['1', 1],
      ['3', 3],
    ],
  ],
  [
    'port',
    port,
    [
      ['1', 1],
      ['65535', 65535],
    ],
  ],
  [
    'size',
    size,
    [
      ['0', 0],
      ['64k', 65536],
      ['10M', 10485760],
      ['1G', 1073741824],
      ['"2 kb"', 2048],
      ['1T', 2 ** 40],
    ],
  ],
  [
    'mode',
    mode,
    [
      ['0666', 0o666],
      ['"0640"', 0o640],
      ['775', 0o775],
      ['4755', 0o4755],
    ],
  ],
  [
    'float',
    float,
    [
      ['1.5', 1.5],
      ['-2', -2],
      ['.5', 0.5],
      ['3.', 3],
    ],
  ],
  [
    'percent',
    percent,
    [
      ['0', 0],
      ['99.5', 99.5],
      ['100%', 100],
    ],
  ],
  [
    'duration',
    duration,
    [
      ['90', 90],
      ['90s', 90],
      ['5m', 300],
      ['2h', 7200],
      ['1d', 86400],
      ['"2 hours"', 7200],
      ['"4 Days"', 345600],
      ['"1 minute"', 60],
      ['4294967295', 4294967295],
    ],
  ],
  [
    'milliseconds',
    milliseconds,
    [
      ['5000', 5000],
      ['250ms', 250],
      ['5s', 5000],
      ['"2 minutes"', 120000],
    ],
  ],
  [
    'throttle',
    throttle,
    [
      ['10', { count: 10, seconds: 1 }],
      ['"5/2"', { count: 5, seconds: 2 }],
      ['60/3', { count: 60, seconds: 3 }],
      ['0', undefined],
      ['"0/5"', undefined],
    ],
  ],
  [
    'enumeration',
    enumeration('no', 'IfAvailable'),
    [
      ['NO', 'no'],
      ['ifavailable', 'IfAvailable'],
    ],
  ],
  [
    'text',
    text,
    [
      ['x', 'x'],
      ['""', ''],
      ['( "a b" )', 'a b'],
    ],
  ],
  ['path', path, [['/var/x', '/var/x']]],
  [
    'array',
    array,
    [
      ['( )', []],
      ['x', ['x']],
      ['( x, "y z" )', ['x', 'y z']],
    ],
  ],
  [
    'array of integers',
    arrayOf(integer),
    [
      ['( 1 2 )', [1, 2]],
      ['3', [3]],
    ],
  ],
  [
    'range',
    range,
    [
      ['( 1 20 )', { low: 1, high: 20 }],
      ['( 5 5 )', { low: 5, high: 5 }],
    ],
  ],
  [
    'dictionary',
    dictionary,
    [
      ['[ ]', new Map()],
      ['[ A = x a = ( y z ) ]', new Map([['a', ['y', 'z']]])],
    ],
  ],
  [
    'dictionary with exact keys',
    exactDictionary,
    [
      [
        '[ A = x a = y ]',
        new Map([
          ['A', 'x'],
          ['a', 'y'],
        ]),
      ],
    ],
  ],
  [
    'endpoint',
    endpoint,
    [
      [':25', { kind: 'tcp', ip: '0.0.0.0', port: 25 }],
      ['"[fd00::A]:587"', { kind: 'tcp', ip: 'fd00::a', port: 587 }],
      ['/run/x', { kind: 'unix', path: '/run/x' }],
    ],
  ],
  ['optional', optional(integer), [['5', 5]]],
];

describe.each(accepted)('%s', (_, type, cases) => {
  test.each(cases)('%s', (written, value) => {
    expect(read(type, written)).toEqual(value);
  });
});

const refused: readonly (readonly [string, ValueType<unknown>, readonly string[], string])[] = [
  ['boolean', boolean, ['maybe', '2', '""', '( on off )', '[ a = b ]'], 'a boolean, true or false'],
  ['integer', integer, ['1.5', 'x', '""', '9007199254740993', '+1', '0x10', '1e3', '( )', '( 1 2 )'], 'an integer'],
  ['integer of 64 bits', bigInteger, ['9223372036854775808', '99999999999999999999'], 'an integer'],
  ['integer in a range', integerBetween(1, 3), ['0', '4'], 'an integer from 1 to 3'],
  ['port', port, ['0', '65536'], 'a port from 1 to 65535'],
  ['size', size, ['-1', '5x', '1.5k', '99999999999T'], 'a size in bytes'],
  ['mode', mode, ['0888', '9', '77777', 'rw'], 'an octal mode'],
  ['float', float, ['x', '1,5', '.', '1e5', 'Infinity'], 'a number'],
  ['percent', percent, ['-1', '100.1'], 'a percentage from 0 to 100'],
  ['duration', duration, ['-5', '1.5h', '"5 fortnights"', '5ms', '99999999999999999'], 'a duration in seconds'],
  ['milliseconds', milliseconds, ['5x', '-1'], 'a duration in milliseconds'],
  ['throttle', throttle, ['5/0', '/2', '5/', 'x', '-1', '1.5/2'], 'a rate as 100 or 100/60'],
  ['enumeration', enumeration('no', 'required'), ['yes', '""'], 'one of no, required'],
  ['path', path, ['""'], 'a path'],
  ['array', array, ['[ a = b ]'], 'an array, not a dictionary'],
  ['array of integers', arrayOf(integer), ['( 1 x )'], "an integer; 'x' is not"],
  ['range', range, ['5', '( 2 1 )', '( 1 2 3 )', '( a b )'], 'a range ( low high )'],
  ['dictionary', dictionary, ['x', '( a )'], 'a dictionary'],
  ['cidrs', cidrs, ['( mail.example )', '( 10.0.0.0/33 )'], 'a list of addresses and blocks'],
  ['domain list', domainList, ['( a..b )', '( a*b )', '( *.* )'], 'a list of domains'],
  ['regex', regex, ['"a++"', '"("'], 'a regular expression'],
  ['endpoint', endpoint, ['25', 'mail.example:25', 'fe80::1:25'], 'an endpoint as'],
];

describe.each(refused)('%s', (_, type, cases, expected) => {
  test.each(cases)('%s is refused', (written) => {
    expect(() => read(type, written)).toThrow(ValueError);
    expect(() => read(type, written)).toThrow(expected);
  });
});

test('a list of blocks finds the longest first', () => {
  expect(read(cidrs, '( 10.0.0.0/8 "::1" 10.1.0.0/16 )').matches('10.1.2.3')).toEqual(['10.1.0.0/16', '10.0.0.0/8']);
});

test.each([
  ['*.a.b', 'x.a.b', true],
  ['*.a.b', 'y.x.a.b', true],
  ['*.a.b', 'a.b', false],
  ['*.a.b', 'xa.b', false],
  ['*a.b', 'a.b', true],
  ['*a.b', 'xa.b', true],
  ['*a.b', 'x.a.b', true],
  ['*a.b', 'a.bc', false],
  ['a.b', 'a.b', true],
  ['a.b', 'x.a.b', false],
  ['A.B.', 'a.b', true],
  ['*', 'anything', true],
  ['BÜCHER.example', 'xn--bcher-kva.example', true],
])('the domain list ( %s ) holds %s: %s', (pattern, domain, held) => {
  expect(read(domainList, `( other.example "${pattern}" )`).matches(domain)).toBe(held);
});
