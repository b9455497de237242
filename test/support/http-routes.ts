import { Type } from 'typebox';
import { empty, json, type Route, results, route } from '../../src/http/index.ts';

const access = { kind: 'public' } as const;
const tag = 'test';

/** Resources that only tests have. */
export const echo = route({
  method: 'POST',
  path: '/echo',
  summary: 'says what it was told',
  tag,
  access,
  body: Type.Object({
    name: Type.String({ maxLength: 10 }),
    count: Type.Optional(Type.Integer()),
    list: Type.Optional(Type.Array(Type.Object({ address: Type.String() }))),
  }),
  answer: { status: 200, summary: 'it', schema: Type.Object({ results: Type.Object({}) }) },
  run: ({ body }) => results(body),
});

export const hello = route({
  method: 'GET',
  path: '/hello/:name',
  summary: 'greets',
  tag,
  access,
  params: Type.Object({ name: Type.String() }),
  query: Type.Object({ times: Type.Optional(Type.Integer({ minimum: 1 })), loud: Type.Optional(Type.Boolean()) }),
  answer: { status: 200, summary: 'it' },
  run: ({ params, query }) => json({ hello: params.name, times: query.times, loud: query.loud }),
});

export const forget = route({
  method: 'DELETE',
  path: '/hello/:name',
  summary: 'forgets',
  tag,
  access,
  answer: { status: 204, summary: 'gone' },
  run: () => empty(),
});

export const long = route({
  method: 'GET',
  path: '/long',
  summary: 'says much',
  tag,
  access,
  answer: { status: 200, summary: 'much', type: 'text/plain' },
  run: () => ({
    kind: 'pieces',
    status: 200,
    type: 'text/plain',
    pieces: (function* () {
      for (let n = 0; n < 5000; n++) yield `line ${n}\n`;
    })(),
  }),
});

export const large = route({
  method: 'GET',
  path: '/large',
  summary: 'says much at once',
  tag,
  access,
  answer: { status: 200, summary: 'much' },
  run: () => json({ text: 'x'.repeat(5000) }),
});

export const broken = route({
  method: 'GET',
  path: '/broken',
  summary: 'fails',
  tag,
  access,
  answer: { status: 200, summary: 'never' },
  run: () => {
    throw new Error('a bug of ours');
  },
});

/** Answers that cannot be sent, or not to their end. */
export const unsayable: readonly Route[] = [
  route({
    method: 'GET',
    path: '/unsayable',
    summary: 'has no JSON',
    tag,
    access,
    answer: { status: 200, summary: 'never' },
    run: () => json({ count: 1n }),
  }),
  route({
    method: 'GET',
    path: '/stuck',
    summary: 'breaks off',
    tag,
    access,
    answer: { status: 200, summary: 'never whole', type: 'text/plain' },
    run: () => ({
      kind: 'pieces',
      status: 200,
      type: 'text/plain',
      pieces: (function* () {
        yield 'x'.repeat(20_000);
        throw new Error('a bug of ours');
      })(),
    }),
  }),
];

/** Answers when it is told to. */
export function waiting(): { readonly route: Route; go(): void } {
  const gate = Promise.withResolvers<void>();
  return {
    route: route({
      method: 'GET',
      path: '/wait',
      summary: 'waits',
      tag,
      access,
      answer: { status: 200, summary: 'done' },
      run: async () => {
        await gate.promise;
        return json({ waited: true });
      },
    }),
    go: () => gate.resolve(),
  };
}

export const testRoutes: readonly Route[] = [echo, hello, forget, long, large, broken];
