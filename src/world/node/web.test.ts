import { createServer, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { WebRequest } from '../world.ts';
import { NodeClock } from './clock.ts';
import { NodeTls } from './tls.ts';
import { NodeWeb } from './web.ts';

const limits = { timeoutMillis: 5_000, mostBytes: 100 };
const clock = new NodeClock();
const web = new NodeWeb(clock);
let server: Server;
let base = '';
let back = '';
const served = new WeakSet<object>();

beforeAll(async () => {
  server = createServer((request, response) => {
    switch (request.url) {
      case '/here':
        response.end('Message_Expiration = 5\n');
        break;
      case '/moved':
        response.writeHead(302, { location: '/here' }).end();
        break;
      case '/back':
        response.writeHead(302, { location: back }).end();
        break;
      case '/long':
        response.end('#'.repeat(101));
        break;
      case '/just':
        response.end('#'.repeat(100));
        break;
      case '/broken':
        response.writeHead(500).end();
        break;
      case '/silent':
        break;
      case '/echo': {
        const chunks: Buffer[] = [];
        request.on('data', (chunk: Buffer) => void chunks.push(chunk));
        request.on('end', () => {
          const { method, headers } = request;
          response.writeHead(401).end(`${method} ${headers['x-test']} ${Buffer.concat(chunks).toString()}`);
        });
        break;
      }
      case '/upgrade':
        response.writeHead(101, { connection: 'upgrade', upgrade: 'other' }).end();
        break;
      case '/cut':
        response.writeHead(200, { 'content-length': '50' });
        response.write('half');
        setImmediate(() => request.socket.destroy());
        break;
      case '/stale':
        // Takes one request on each connection, and does not say so.
        if (served.has(request.socket)) request.socket.destroy();
        else response.end('once');
        served.add(request.socket);
        break;
      default:
        response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  base = `http://127.0.0.1:${address.port}`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

describe('a document of an HTTP server', () => {
  test.each(['/here', '/moved'])('%s is read', async (path) => {
    const answer = await web.get(base + path, limits);
    expect(answer.kind === 'found' && Buffer.from(answer.bytes).toString()).toBe('Message_Expiration = 5\n');
  });

  test('may be as long as the limit and no longer', async () => {
    expect((await web.get(`${base}/just`, limits)).kind).toBe('found');
    expect(await web.get(`${base}/long`, limits)).toEqual({ kind: 'failed', why: 'more than 100 bytes' });
  });

  test('what is not there is missing, what fails says why', async () => {
    expect(await web.get(`${base}/other`, limits)).toEqual({ kind: 'missing', why: 'status 404' });
    expect(await web.get(`${base}/broken`, limits)).toEqual({ kind: 'failed', why: 'status 500' });
    expect(await web.get('http://127.0.0.1:1/', limits)).toMatchObject({ kind: 'failed' });
    expect(await web.get('http://[/', limits)).toMatchObject({ kind: 'failed' });
  });

  test('is not followed from https to http, not even on the way to https again; nor for ever', async () => {
    const identity = new NodeTls(clock).selfSigned('localhost');
    const secure = createSecureServer(
      { cert: Buffer.from(identity.chain), key: Buffer.from(identity.key) },
      (request, response) => {
        const to = { '/by-http': `${base}/back`, '/near': '/far', '/circle': '/circle', '/data': 'data:,x' }[
          request.url ?? ''
        ];
        if (to === undefined) response.end('secret');
        else response.writeHead(302, { location: to }).end();
      },
    );
    await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
    const address = secure.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const url = `https://localhost:${address.port}`;
    back = `${url}/far`;
    const trusted = getCACertificates();
    setDefaultCACertificates([...trusted, Buffer.from(identity.chain).toString()]);
    try {
      expect(await web.get(`${url}/near`, limits)).toMatchObject({ kind: 'found' });
      expect(await web.get(`${base}/back`, limits)).toMatchObject({ kind: 'found' });
      expect(await web.get(`${url}/by-http`, limits)).toEqual({
        kind: 'failed',
        why: `redirected to ${base}/back, which is not encrypted`,
      });
      expect(await web.get(`${url}/data`, limits)).toMatchObject({
        kind: 'failed',
        why: 'redirected to data:,x, which is no web address',
      });
      expect(await web.get(`${url}/circle`, limits)).toEqual({ kind: 'failed', why: 'more than 20 redirections' });
    } finally {
      setDefaultCACertificates(trusted);
      secure.closeAllConnections();
      secure.close();
    }
  });

  test('a server that says nothing is given up', async () => {
    expect(await web.get(`${base}/silent`, { ...limits, timeoutMillis: 50 })).toEqual({
      kind: 'failed',
      why: 'no answer within 0.05 s',
    });
  });
});

describe('a request', () => {
  const post = (url: string, authorities: WebRequest['authorities'] = 'public'): WebRequest => ({
    method: 'POST',
    url,
    headers: { 'x-test': 'a' },
    body: Buffer.from('token=b'),
    authorities,
  });

  test('is sent with its fields and its body, and answered whatever the status says', async () => {
    const reply = await web.send(post(`${base}/echo`), limits);
    expect(reply).toEqual({ kind: 'answered', status: 401, bytes: Buffer.from('POST a token=b') });
  });

  test('is not sent on to where a redirection points', async () => {
    expect(await web.send(post(`${base}/moved`), limits)).toMatchObject({ kind: 'answered', status: 302 });
  });

  test.each<[string, string]>([
    ['/long', 'more than 100 bytes'],
    ['/upgrade', 'closed without an answer'],
    ['/cut', 'ECONNRESET'],
  ])('%s fails: %s', async (path, why) => {
    expect(await web.send(post(base + path), limits)).toEqual({ kind: 'failed', why });
  });

  test('a server that says nothing is given up, one that is not there has failed, and so has an address that is none', async () => {
    const silent = await web.send(post(`${base}/silent`), { ...limits, timeoutMillis: 50 });
    expect(silent).toEqual({ kind: 'failed', why: 'no answer within 0.05 s' });
    expect(await web.send(post('http://127.0.0.1:1/'), limits)).toEqual({ kind: 'failed', why: 'ECONNREFUSED' });
    expect(await web.send(post('http://[/'), limits)).toMatchObject({ kind: 'failed' });
  });

  test('many in a row go through, also where the server closes connections that were meant to be kept', async () => {
    for (let times = 0; times < 20; times++)
      expect(await web.send(post(`${base}/stale`), limits)).toMatchObject({ kind: 'answered', status: 200 });
  });

  test('by https a certificate is believed when the authorities have signed it, or when nobody is asked', async () => {
    const identity = new NodeTls(clock).selfSigned('localhost');
    const secure = createSecureServer(
      { cert: Buffer.from(identity.chain), key: Buffer.from(identity.key) },
      (_, response) => void response.end('yes'),
    );
    await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
    const address = secure.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    try {
      const url = `https://localhost:${address.port}/`;
      expect(await web.send(post(url), limits)).toEqual({ kind: 'failed', why: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
      expect(await web.send(post(url, 'unverified'), limits)).toMatchObject({ kind: 'answered', status: 200 });
      expect(await web.send(post(url, identity.chain), limits)).toMatchObject({ kind: 'answered', status: 200 });
      // Signed by somebody who is trusted, and for another name.
      const other = `https://127.0.0.1:${address.port}/`;
      expect(await web.send(post(other, identity.chain), limits)).toEqual({
        kind: 'failed',
        why: 'ERR_TLS_CERT_ALTNAME_INVALID',
      });
    } finally {
      secure.closeAllConnections();
      secure.close();
    }
  });
});
