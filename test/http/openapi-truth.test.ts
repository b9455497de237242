import { expect, test } from 'vitest';
import { askIn, jsonOf } from '../support/http-room.ts';
import { WholeServer } from '../support/whole-server.ts';

type Fields = Readonly<Record<string, unknown>>;
type Operation = {
  readonly requestBody?: { readonly required: boolean };
  readonly responses: Fields;
  readonly parameters: readonly { readonly in: string; readonly name: string }[];
};

/** Requests that are wrong in one way or another, of any route. */
const WRONG: readonly (readonly [string, string])[] = [
  ['', ''],
  ['', '{'],
  ['', '{}'],
  ['', '[]'],
  ['', '{"id":7,"content":7,"recipients":7,"recipient":7}'],
  ['', `{"x":"${'x'.repeat(2000)}"}`],
  ['\nContent-Type: text/plain', '{}'],
  ['\nContent-Encoding: br', '{}'],
  ['\nContent-Encoding: gzip', '{}'],
  ['\nAuthorization: nobody', '{}'],
  ['\nAuthorization: Basic YTpi', '{}'],
];

test.each([
  ['for whom everything is allowed', 'Always_Allow = true Max_Request_Size = 3000'],
  ['who must log in', 'Enable_Authentication = true AuthPlainParameters = [ uri = "file:///nowhere" ]'],
  ['who is shut out', 'Always_Deny = true'],
])('every answer that a client gets, %s, has a status that the document tells of', async (_who, listener) => {
  const whole = await WholeServer.with(`HTTP_Listener { ${listener} Listen "127.0.0.1:2081" { } }`);
  const open = await WholeServer.with('HTTP_Listener { Listen "127.0.0.1:2081" { } }');
  const { paths } = jsonOf<{ paths: Record<string, Record<string, Operation>> }>(
    await askIn(open.world, 'GET /openapi.json'),
  );
  const undeclared = new Set<string>();
  let seen = 0;
  for (const [path, methods] of Object.entries(paths))
    for (const [method, { responses, parameters }] of Object.entries(methods)) {
      const target = path.replace(/\{\w+\}/g, 'x@y.test');
      const queries = parameters.filter((each) => each.in === 'query').map(({ name }) => `${name}=%00`);
      for (const query of ['', ...queries.map((each) => `?${each}`)])
        for (const [fields, body] of WRONG) {
          const { status } = await askIn(whole.world, `${method.toUpperCase()} ${target}${query}${fields}`, body);
          seen++;
          if (responses[String(status)] === undefined) undeclared.add(`${method} ${path}: ${status}`);
        }
    }
  expect([...undeclared]).toEqual([]);
  const left = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, { requestBody }]) =>
      requestBody?.required === false ? [`${method} ${path}`] : [],
    ),
  );
  expect(left).toContain('delete /api/v1/suppression-list/{email}');
  expect(seen).toBeGreaterThan(100);
});
