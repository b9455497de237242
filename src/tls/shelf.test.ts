import { describe, expect, test } from 'vitest';
import { configured } from '../../test/support/configuration.ts';
import { type Endpoint, parseEndpoint } from '../base/index.ts';
import { array, ConfigErrors, type LiveConfiguration, option, optional, type View } from '../config/index.ts';
import type { TlsContext } from '../world/index.ts';
import type { SimDisk } from '../world/sim/index.ts';
import { SimTls, simIdentity, simWorld } from '../world/sim/index.ts';
import { SimTlsContext } from '../world/sim/tls.ts';
import { checkTls } from './check.ts';
import { tlsOptions } from './options.ts';
import { LOOK_MILLIS, TlsShelf } from './shelf.ts';

const extensions = option('smtp_extensions', optional(array));
const offer = {
  option: extensions,
  offers: (view: View) => view.get(extensions)?.includes('STARTTLS') ?? false,
};
const smtp = parseEndpoint(':25') as Endpoint;

const one = simIdentity({ commonName: 'one.test', names: ['one.test'] });
const two = simIdentity({ commonName: 'second.test', names: ['second.test'] });
const both = (of: typeof one): string => `${Buffer.from(of.chain)}${Buffer.from(of.key)}`;

interface House {
  readonly shelf: TlsShelf;
  readonly disk: SimDisk;
  readonly configuration: LiveConfiguration;
  readonly complaints: string[];
  readonly clock: ReturnType<typeof simWorld>['clock'];
  check(): Promise<void>;
}

async function house(text: string, files: Readonly<Record<string, string>> = {}): Promise<House> {
  const { configuration, disk } = await configured(
    {
      '/etc/impetus/impetus.conf': text,
      '/tls/one.crt': Buffer.from(one.chain).toString(),
      '/tls/one.key': Buffer.from(one.key).toString(),
      '/tls/one.pem': both(one),
      '/tls/two.pem': both(two),
      '/tls/ca.pem': Buffer.from(simIdentity({ commonName: 'Root' }).chain).toString(),
      '/tls/garbage': 'garbage',
      ...files,
    },
    [...tlsOptions, extensions],
  );
  const { clock } = simWorld();
  const complaints: string[] = [];
  const shelf = new TlsShelf({
    tls: new SimTls(),
    clock,
    disk,
    events: { diagnose: (level, module, said) => void complaints.push(`${level} ${module}: ${said}`) },
  });
  return { shelf, disk, configuration, complaints, clock, check: () => checkTls(configuration.current, shelf, offer) };
}

const server = ({ configuration, shelf }: House, client = '192.0.2.1'): TlsContext | undefined =>
  shelf.server(configuration.current.receiving('esmtp_listener', smtp, client));

const shown = (context: TlsContext | undefined): readonly string[] =>
  context instanceof SimTlsContext ? context.certificates.map((each) => each.commonName) : [];

async function errorsOf(text: string): Promise<readonly string[]> {
  const made = await house(text);
  try {
    await made.check();
    return [];
  } catch (error) {
    if (!(error instanceof ConfigErrors)) throw error;
    return error.checkLines.map((line) => line.replace('/etc/impetus/impetus.conf', 'f'));
  }
}

describe('the check of a configuration', () => {
  const GOOD = 'TLS_Certificate = "/tls/one.pem"';
  test.each<[string, string, readonly string[]]>([
    ['certificate and key in one file', `ESMTP_Listener { ${GOOD} Listen ":25" { } }`, []],
    [
      'certificate and key in two',
      'ESMTP_Listener { TLS_Certificate = "/tls/one.crt" TLS_Key = "/tls/one.key" Listen ":25" { } }',
      [],
    ],
    [
      'a key in the stanza around it',
      'TLS_Key = "/tls/one.key"\nESMTP_Listener { Listen ":25" { TLS_Certificate = "/tls/one.crt" } }',
      [],
    ],
    [
      'a key in the stanza within it',
      'ESMTP_Listener { TLS_Certificate = "/tls/one.crt" Listen ":25" { TLS_Key = "/tls/one.key" } }',
      [],
    ],
    [
      'no certificate, although an outer stanza has one',
      `${GOOD}\nESMTP_Listener { Listen ":25" { TLS_Certificate = none } }`,
      [],
    ],
    ['outbound certificate and authorities', `Domain "a.test" { ${GOOD} TLS_Ca = "/tls/ca.pem" }`, []],
    [
      'a file that is not there',
      'ESMTP_Listener {\n  TLS_Certificate = "/tls/none.pem"\n Listen ":25" { } }',
      ['f:2:21: error: cannot read /tls/none.pem: no such file'],
    ],
    [
      'garbage for a certificate',
      'TLS_Certificate = "/tls/garbage"',
      ['f:1:19: error: there is no usable certificate in /tls/garbage: no start line'],
    ],
    [
      'a certificate without its key',
      'TLS_Certificate = "/tls/one.crt"',
      ['f:1:19: error: there is no usable key in /tls/one.crt, and no TLS_Key: no start line'],
    ],
    [
      'garbage for a key',
      'TLS_Certificate = "/tls/one.crt"\nTLS_Key = "/tls/garbage"',
      ['f:2:11: error: there is no usable key in /tls/garbage: no start line'],
    ],
    [
      'the key of another certificate',
      'TLS_Certificate = "/tls/one.crt"\nTLS_Key = "/tls/two.pem"',
      ['f:2:11: error: the key does not belong to the certificate: /tls/two.pem and /tls/one.crt'],
    ],
    [
      'garbage for authorities, inbound and outbound',
      `ESMTP_Listener { ${GOOD} TLS_Client_CA = "/tls/garbage" Listen ":25" { } }\nBinding "b" { TLS_Ca = "/tls/garbage" }`,
      [
        'f:1:67: error: no usable list of authorities: there is no certificate in it',
        'f:2:24: error: no usable list of authorities: there is no certificate in it',
      ],
    ],
    [
      'an unknown curve',
      'TLS_EC_Curve_Names = "prime256v1:nonsense"',
      ["f:1:22: error: invalid curve or group list 'prime256v1:nonsense': unknown curve"],
    ],
    [
      'Use_SSL without a certificate',
      'ESMTP_Listener { Listen ":465" { Use_SSL = true } }',
      ['f:1:18: error: Use_SSL needs a TLS_Certificate'],
    ],
    [
      'STARTTLS without a certificate',
      'ESMTP_Listener { SMTP_Extensions = ( STARTTLS ) Listen ":25" { } }',
      ['f:1:1: error: STARTTLS in SMTP_Extensions needs a TLS_Certificate'],
    ],
    [
      'STARTTLS for some clients, without a certificate',
      `ESMTP_Listener { Listen ":25" { Peer "10.0.0.0/8" { SMTP_Extensions = ( STARTTLS ) } } }`,
      ['f:1:33: error: STARTTLS in SMTP_Extensions needs a TLS_Certificate'],
    ],
    [
      'Use_SSL and STARTTLS in one Listen',
      `ESMTP_Listener { ${GOOD} Listen ":465" { Use_SSL = true SMTP_Extensions = ( STARTTLS ) } }`,
      ['f:1:51: error: Use_SSL and STARTTLS exclude each other'],
    ],
    [
      'Use_SSL in one Listen, and STARTTLS in the listener for all others',
      `ESMTP_Listener { ${GOOD} SMTP_Extensions = ( STARTTLS ) Listen ":25" { } Listen ":465" { Use_SSL = true } }`,
      [],
    ],
    [
      'a certificate that comes with the pathway',
      `Pathway "p" { ${GOOD} }\nESMTP_Listener { Pathway = p SMTP_Extensions = ( STARTTLS ) Listen ":25" { } }`,
      [],
    ],
    [
      'a bad certificate for SNI',
      `ESMTP_Listener { ${GOOD} Listen ":25" { TLS_SNI_Certificates = ( "/tls/two.pem" "/tls/garbage" ) } }`,
      ['f:1:89: error: there is no usable certificate in /tls/garbage: no start line'],
    ],
    [
      'the same trouble in a stanza within is told once, and others besides',
      'TLS_EC_Curve_Names = "nonsense"\nESMTP_Listener { TLS_Certificate = "/tls/one.crt" TLS_Key = "/tls/two.pem" Listen ":25" { TLS_SNI_Certificates = ( "/tls/two.pem" ) } }',
      [
        "f:1:22: error: invalid curve or group list 'nonsense': unknown curve",
        'f:2:61: error: the key does not belong to the certificate: /tls/two.pem and /tls/one.crt',
      ],
    ],
  ])('%s', async (_, text, expected) => {
    expect(await errorsOf(text)).toEqual(expected);
  });

  test('all that is wrong is told at once', async () => {
    expect(
      (await errorsOf('TLS_Certificate = "/a"\nTLS_Ca = "/b"\nBinding "x" { TLS_Certificate = "/a" }')).length,
    ).toBe(3);
  });
});

describe('the shelf', () => {
  test('gives each client the context of its stanza, and equal ones the same', async () => {
    const made = await house(
      `ESMTP_Listener {
         TLS_Certificate = "/tls/one.pem"
         Listen ":25" {
           Peer "10.0.0.0/8" { TLS_Certificate = "/tls/two.pem" }
           Peer "172.16.0.0/12" { TLS_Certificate = none }
           Peer "192.168.0.0/16" { Use_SSL = true }
         }
       }`,
    );
    await made.check();
    expect(shown(server(made))).toEqual(['one.test']);
    expect(shown(server(made, '10.1.1.1'))).toEqual(['second.test']);
    expect(server(made, '172.16.1.1')).toBeUndefined();
    expect(server(made, '192.168.1.1')).toBe(server(made));
    expect(made.shelf.contexts).toHaveLength(2);
    made.shelf.flush();
    expect(made.shelf.contexts).toHaveLength(0);
    expect(shown(server(made))).toEqual(['one.test']);
  });

  test('trusts nobody where no authorities are given, and asks as the mode says', async () => {
    const made = await house(
      `ESMTP_Listener {
         TLS_Certificate = "/tls/one.pem"
         Listen ":25" {
           Peer "10.0.0.0/8" { TLS_Verify_Mode = none }
           Peer "172.16.0.0/12" { TLS_Verify_Mode = require TLS_Client_CA = "/tls/ca.pem" }
         }
       }`,
    );
    await made.check();
    const material = (client: string): unknown => {
      const context = server(made, client);
      return context instanceof SimTlsContext ? context.material : undefined;
    };
    expect(material('192.0.2.1')).toMatchObject({ asks: 'optional', authorities: 'nobody' });
    expect(material('10.0.0.1')).toMatchObject({ asks: 'no', authorities: 'nobody' });
    expect(material('172.16.0.1')).toMatchObject({ asks: 'always' });
    expect(shown(server(made))).toEqual(['one.test']);
  });

  test('has the certificates for SNI behind the first', async () => {
    const made = await house(
      `ESMTP_Listener { TLS_Certificate = "/tls/two.pem"
         TLS_SNI_Certificates = ( "/tls/one.crt|/tls/one.key" ) Listen ":25" { } }`,
    );
    await made.check();
    expect(shown(server(made))).toEqual(['second.test', 'one.test']);
  });

  const LISTENER = 'ESMTP_Listener { TLS_Certificate = "/tls/one.crt" TLS_Key = "/tls/one.key" Listen ":25" { } }';

  test('takes up a certificate that was renewed on disk, not before it is time to look', async () => {
    const made = await house(LISTENER);
    await made.check();
    const before = server(made);
    await made.clock.advance(1000);
    await made.disk.replace('/tls/one.crt', two.chain);
    await made.disk.replace('/tls/one.key', two.key);
    await made.clock.advance(LOOK_MILLIS - 2000);
    expect(server(made)).toBe(before);
    await made.clock.advance(2000);
    // This one still has the old one: it brings about the look.
    expect(server(made)).toBe(before);
    await made.clock.advance(10);
    expect(shown(server(made))).toEqual(['second.test']);
    expect(made.complaints).toEqual([]);
  });

  test('keeps the old one while the new one is half there, says so once, and takes it up when it is whole', async () => {
    const made = await house(LISTENER);
    await made.check();
    const before = server(made);
    await made.disk.replace('/tls/one.crt', two.chain);
    for (let look = 0; look < 3; look++) {
      await made.clock.advance(LOOK_MILLIS);
      expect(server(made)).toBe(before);
      await made.clock.advance(10);
      expect(server(made)).toBe(before);
    }
    expect(made.complaints).toEqual([
      'ERROR tls: /tls/one.crt with /tls/one.key cannot be used: the key does not belong to the certificate; the one before stays in use',
    ]);
    await made.disk.replace('/tls/one.key', two.key);
    await made.clock.advance(LOOK_MILLIS);
    server(made);
    await made.clock.advance(10);
    expect(shown(server(made))).toEqual(['second.test']);
  });

  test('keeps the old one when its file cannot be read any more, and says so once', async () => {
    const made = await house(LISTENER);
    await made.check();
    const before = server(made);
    await made.disk.remove('/tls/one.key');
    for (let look = 0; look < 3; look++) {
      await made.clock.advance(LOOK_MILLIS);
      server(made);
      await made.clock.advance(10);
    }
    expect(server(made)).toBe(before);
    expect(made.complaints).toEqual([
      'ERROR tls: cannot read /tls/one.key: no such file; what was read before stays in use',
    ]);
  });

  test('a reload looks at once, and is refused while a file cannot be used', async () => {
    const made = await house(LISTENER);
    await made.check();
    const before = server(made);
    await made.disk.replace('/tls/one.crt', two.chain);
    await expect(made.check()).rejects.toThrow('the key does not belong to the certificate');
    expect(server(made)).toBe(before);
    await made.disk.replace('/tls/one.key', two.key);
    await made.check();
    expect(shown(server(made))).toEqual(['second.test']);
  });

  test('a client has public authorities unless it is given its own', async () => {
    const made = await house('Domain "a.test" { TLS_Ca = "/tls/ca.pem" TLS_Certificate = "/tls/one.pem" }');
    await made.check();
    const of = (domain: string): unknown => {
      const view = made.configuration.current.sending('default', 'default' as never, domain as never);
      const context = made.shelf.client(view);
      return context instanceof SimTlsContext ? context.material : undefined;
    };
    expect(of('b.test')).toMatchObject({ authorities: 'public', identities: [], asks: 'no' });
    expect(of('a.test')).toMatchObject({ identities: [expect.anything()] });
    expect(of('a.test')).not.toMatchObject({ authorities: 'public' });
  });
});
