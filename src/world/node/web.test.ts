import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NodeClock } from './clock.ts';
import { NodeWeb } from './web.ts';

const limits = { timeoutMillis: 5_000, mostBytes: 100 };
const web = new NodeWeb(new NodeClock());
let server: Server;
let base = '';

beforeAll(async () => {
  server = createServer((request, response) => {
    switch (request.url) {
      case '/here':
        response.end('Message_Expiration = 5\n');
        break;
      case '/moved':
        response.writeHead(302, { location: '/here' }).end();
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

  test('a server that says nothing is given up', async () => {
    expect(await web.get(`${base}/silent`, { ...limits, timeoutMillis: 50 })).toEqual({
      kind: 'failed',
      why: 'no answer within 0.05 s',
    });
  });
});
