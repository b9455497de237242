import { describe, expect, test } from 'vitest';
import { FACTS, MailIn, type Peer } from '../../test/dialogues/mail-in.ts';
import { millis } from '../base/index.ts';
import { type PeerCertificate, type TlsContext, TlsError } from '../world/index.ts';

const OFFERS = { smtp_extensions: ['ENHANCEDSTATUSCODES', 'STARTTLS'] };
const VALID: TlsContext = { validity: { from: millis(0), until: millis(Number.MAX_SAFE_INTEGER) } };

const certificate: PeerCertificate = {
  subject: '/O=Client/CN=client.test',
  issuer: '/O=CA/CN=Root',
  commonName: 'client.test',
  issuerCommonName: 'Root',
  names: [],
  addresses: [],
  der: new Uint8Array(),
  distrust: undefined,
};

function house(values: ConstructorParameters<typeof MailIn>[0] = {}): MailIn {
  const made = new MailIn({ ...OFFERS, ...values });
  made.context = VALID;
  return made;
}

/** STARTTLS, and the handshake. */
function secured(peer: Peer, facts: Parameters<Peer['shakes']>[0] = {}): void {
  peer.sends('EHLO client.test\r\n');
  expect(peer.sends('STARTTLS\r\n')).toBe('220 2.0.0 ready to start TLS\r\n');
  expect(peer.shakes(facts)).toBe('');
}

describe('STARTTLS', () => {
  test('is offered last, and with a certificate only', () => {
    const made = house();
    expect(made.connect().sends('EHLO a.test\r\n')).toContain(
      '250-mx.test says EHLO to 192.0.2.7\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250 STARTTLS\r\n',
    );
    made.context = undefined;
    expect(made.connect().sends('EHLO a.test\r\n')).not.toContain('STARTTLS');
  });

  test('is not offered when it is not listed, and then it is no command', () => {
    const made = house({ smtp_extensions: [] });
    const peer = made.connect();
    expect(peer.sends('EHLO a.test\r\n')).not.toContain('STARTTLS');
    expect(peer.sends('STARTTLS\r\n')).toBe('502 command not implemented\r\n');
  });

  test('secures the pipe after its 220, and is not offered again', () => {
    const made = house();
    const peer = made.connect();
    peer.sends('EHLO a.test\r\n');
    expect(peer.securing).toBeUndefined();
    peer.sends('STARTTLS\r\n');
    expect(peer.securing).toEqual({ as: 'server', context: VALID });
    peer.shakes();
    expect(peer.sends('EHLO a.test\r\n')).not.toContain('STARTTLS');
    expect(peer.sends('STARTTLS\r\n')).toBe('503 5.5.1 bad sequence of commands\r\n');
  });

  test.each<[string, TlsContext | undefined, string]>([
    ['without a usable certificate', undefined, '454 4.7.0 TLS not available'],
    [
      'with an expired certificate',
      { validity: { from: millis(0), until: millis(Date.UTC(2026, 0)) } },
      '454 4.7.0 certificate expired',
    ],
    [
      'with one that is not valid yet',
      { validity: { from: millis(Date.UTC(2027, 0)), until: millis(Date.UTC(2028, 0)) } },
      '454 4.7.0 certificate not yet valid: possible clock skew',
    ],
  ])('%s it is refused, the session goes on, and the rejectlog hears of it', (_, context, said) => {
    const made = house();
    const peer = made.greeted();
    made.context = context;
    expect(peer.sends('STARTTLS\r\n')).toBe(`${said}\r\n`);
    expect(peer.sends('NOOP\r\n')).toBe('250 2.0.0 OK\r\n');
    expect(made.rejections).toMatchObject([{ phase: 'awaiting mailfrom', reply: { code: 454 } }]);
  });

  test('what was injected behind it ends the session, with a line in the rejectlog', () => {
    const made = house({ open_relay: 'true' });
    const peer = made.connect();
    peer.sends('EHLO a.test\r\n');
    expect(peer.sends('STARTTLS\r\nMAIL FROM:<evil@b.c>\r\n')).toBe(
      '421 4.7.0 protocol deviation: commands behind STARTTLS\r\n',
    );
    expect([peer.ended, peer.securing]).toEqual([true, undefined]);
    expect(made.rejections).toMatchObject([{ reply: { code: 421, enhanced: '4.7.0' } }]);
  });

  test.each(['ignore', 'allow'])('with Starttls_Injection_Policy %s it is thrown away', (policy) => {
    const made = house({ ...OFFERS, open_relay: 'true', starttls_injection_policy: policy });
    const peer = made.connect();
    peer.sends('EHLO a.test\r\n');
    expect(peer.sends('STARTTLS\r\nMAIL FROM:<evil@b.c>\r\n')).toBe('220 2.0.0 ready to start TLS\r\n');
    expect(peer.shakes()).toBe('');
    expect(peer.sends('RCPT TO:<b@c.d>\r\n')).toBe('503 5.5.1 RCPT TO without MAIL FROM\r\n');
  });

  test('forgets what the client said of itself', () => {
    const made = house({ ...OFFERS, open_relay: 'true', require_ehlo: 'true' });
    const peer = made.connect();
    secured(peer);
    expect(peer.sends('MAIL FROM:<a@b.c>\r\n')).toBe('550 5.5.1 RFC2821 HELO/EHLO needed\r\n');
    expect(made.rejections.at(-1)?.connectionContext).not.toHaveProperty('ehlo_string');
    expect(made.rejections.at(-1)?.connectionContext).not.toHaveProperty('ehlo_domain');
  });

  test('tells policy, logs and the Received field', () => {
    const made = house({ ...OFFERS, open_relay: 'true' });
    const peer = made.connect();
    secured(peer, { peer: certificate });
    peer.sends('EHLO client.test\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<d@e.f>\r\nDATA\r\n');
    peer.sends('Subject: x\r\n\r\nhi\r\n.\r\n');
    expect(made.spool.kept[0]?.body).toContain('with ESMTPS id');
    expect(made.spool.kept[0]?.envelope.context.connection).toMatchObject({
      tls: 'on',
      tls_cipher: 'TLS_AES_256_GCM_SHA384',
      tls_cipher_algbits: '256',
      tls_cipher_usebits: '256',
      tls_client_cert_subject: '/O=Client/CN=client.test',
      tls_client_cert_subject_cn: 'client.test',
      tls_client_cert_issuer: '/O=CA/CN=Root',
      tls_client_cert_issuer_cn: 'Root',
      tls_client_verified: 'yes',
    });
    expect(made.recorded).toMatchObject([{ kind: 'reception', tlsCipher: 'TLS_AES_256_GCM_SHA384' }]);
  });

  test('in clear nothing of the kind is there', () => {
    const made = house({ ...OFFERS, open_relay: 'true' });
    const peer = made.greeted();
    peer.sends('MAIL FROM:<a@b.c>\r\nRCPT TO:<d@e.f>\r\nDATA\r\n');
    peer.sends('Subject: x\r\n\r\nhi\r\n.\r\n');
    expect(made.spool.kept[0]?.body).toContain('with ESMTP id');
    expect(made.spool.kept[0]?.envelope.context.connection).not.toHaveProperty('tls');
    expect(made.recorded).toMatchObject([{ kind: 'reception', tlsCipher: undefined }]);
  });
});

describe('a client certificate', () => {
  const relaying = { ...OFFERS, tls_verified_peer_can_relay: 'true' };
  const TRIES = 'EHLO client.test\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<d@e.f>\r\n';

  test.each<[string, ConstructorParameters<typeof MailIn>[0], PeerCertificate | undefined, boolean]>([
    ['that is verified lets its client relay', relaying, certificate, true],
    ['that is not verified does not', relaying, { ...certificate, distrust: 'CERT_HAS_EXPIRED' }, false],
    ['that is not shown does not', relaying, undefined, false],
    ['does not without TLS_Verified_Peer_Can_Relay', OFFERS, certificate, false],
  ])('%s', (_, values, peerCertificate, relays) => {
    const peer = house(values).connect();
    secured(peer, { peer: peerCertificate });
    expect(peer.sends(TRIES)).toContain(relays ? '250 2.1.5 RCPT TO accepted.' : '550 5.7.1 relaying denied');
  });

  test('that is not verified does not end the session', () => {
    const made = house();
    const peer = made.connect();
    secured(peer, { peer: { ...certificate, distrust: 'DEPTH_ZERO_SELF_SIGNED_CERT' } });
    expect(peer.sends(TRIES)).toContain('550 5.7.1 relaying denied');
    expect(made.rejections[0]?.connectionContext).toMatchObject({ tls_client_cert_subject_cn: 'client.test' });
    expect(made.rejections[0]?.connectionContext).not.toHaveProperty('tls_client_verified');
  });
});

describe('a handshake', () => {
  test('that fails is counted, and the slot is given back', () => {
    const made = house();
    const peer = made.greeted();
    peer.sends('STARTTLS\r\n');
    peer.host?.closed(new TlsError('wrong version number'));
    expect(made.failedHandshakes).toEqual(['192.0.2.7:40000: wrong version number']);
    expect([made.slotsGivenBack, made.reception.sessions]).toEqual([1, 0]);
  });

  test('that does not end is cut off without a word', () => {
    const made = house();
    const peer = made.greeted();
    peer.sends('STARTTLS\r\n');
    expect([...made.reception.inbound()].map((session) => session.state)).toEqual(['tls']);
    made.clock.pass(59);
    expect(peer.ended).toBe(false);
    made.clock.pass(2);
    expect([peer.ended, peer.hears()]).toEqual([true, '']);
    expect(made.failedHandshakes).toEqual(['192.0.2.7:40000: handshake timeout']);
    expect(made.clock.pending).toBe(0);
  });

  test('before the first byte: banner, no STARTTLS, and the facts are known', () => {
    const made = house({ ...OFFERS, open_relay: 'true' });
    const peer = made.connect(undefined, { ...FACTS, peer: certificate });
    expect(peer.hears()).toMatch(/^220 mx\.test/);
    expect(peer.sends('EHLO a.test\r\n')).not.toContain('STARTTLS');
    expect(peer.sends('STARTTLS\r\n')).toBe('503 5.5.1 bad sequence of commands\r\n');
    peer.sends('MAIL FROM:<a@b.c>\r\nRCPT TO:<d@e.f>\r\nDATA\r\n');
    peer.sends('Subject: x\r\n\r\nhi\r\n.\r\n');
    expect(made.spool.kept[0]?.body).toContain('with ESMTPS id');
    expect(made.spool.kept[0]?.envelope.context.connection).toMatchObject({ tls: 'on', tls_client_verified: 'yes' });
  });
});
