import { type Static, Type } from 'typebox';
import { type ListEntry, type ListOutcome, NobodyLeft, Trouble } from '../generation/index.ts';
import { type Answer, empty, type Refusal, type Route, refusals, results, route } from '../http/index.ts';
import type { Fields } from '../templates/index.ts';
import type { ApiHouse } from './house.ts';
import { partly } from './partly.ts';
import { answered, refused } from './trouble.ts';

const TAG = 'recipient lists';
const ACCESS = { kind: 'key', grant: 'recipient_lists/manage' } as const;
const MOST_BYTES = 100 * 1024 * 1024;
const MOST_TOLD = 10_000;
const LONGEST_ATTRIBUTES = 10 * 1024;
const Errors = Type.Integer({ minimum: 0, maximum: MOST_TOLD });

const Params = Type.Object({ id: Type.String() });
const Query = Type.Object({ num_rcpt_errors: Type.Optional(Errors) });
const Edit = {
  name: Type.Optional(Type.String({ maxLength: 64 })),
  description: Type.Optional(Type.String({ maxLength: 1024 })),
  attributes: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  // Clients of the family say it here too.
  num_rcpt_errors: Type.Optional(Errors),
};
const Recipients = Type.Array(Type.Unknown({ description: 'a recipient, as in a transmission' }));
const Written = Type.Object({
  results: Type.Object({
    id: Type.String(),
    name: Type.String(),
    total_accepted_recipients: Type.Integer(),
    total_rejected_recipients: Type.Integer(),
    rcpt_to_errors: Type.Optional(Type.Array(Type.Unknown())),
  }),
  errors: Type.Optional(Type.Array(Type.Unknown())),
});

/** Lists of recipients that transmissions name (spec/http-api 11). */
export function recipientListRoutes(house: ApiHouse): readonly Route[] {
  const lists = house.lists;
  const find = (id: string): ListEntry => {
    const entry = lists.find(id);
    if (entry === undefined) throw new Trouble('1600', `there is no recipient list ${id.slice(0, 64)}`);
    return entry;
  };
  const ids = (): string =>
    `rcptlist_${Math.floor(house.clock.date()).toString(36)}${house.chance.below(2 ** 30).toString(36)}`;

  return [
    route({
      method: 'POST',
      path: '/api/v1/recipient-lists',
      summary: 'stores a list of recipients',
      tag: TAG,
      access: ACCESS,
      needsRoom: true,
      mostBytes: MOST_BYTES,
      query: Query,
      body: Type.Object({ id: Type.Optional(Type.String()), ...Edit, recipients: Recipients }),
      refuses: [400, 422],
      answer: { status: 200, summary: 'it is stored, without those that are wrong', schema: Written },
      run: ({ body, query }) => {
        const most = query.num_rcpt_errors ?? body.num_rcpt_errors ?? 0;
        return written(() => {
          const id = body.id ?? ids();
          if (!/^[A-Za-z0-9_.-]{1,64}$/.test(id) || (body.id !== undefined && id.startsWith('rcptlist_')))
            throw new Trouble(
              '1300',
              'id has 1 to 64 letters, digits, dots, dashes and underscores, and does not begin with rcptlist_',
            );
          return lists.create(id, edited(body), most);
        }, most);
      },
    }),
    route({
      method: 'GET',
      path: '/api/v1/recipient-lists',
      summary: 'all lists, without their recipients',
      tag: TAG,
      access: ACCESS,
      answer: { status: 200, summary: 'the lists', schema: Type.Object({ results: Type.Array(Type.Unknown()) }) },
      run: () =>
        answered(async () => {
          const found: ReturnType<typeof shown>[] = [];
          for (const page of lists.pages()) {
            found.push(...page.map(shown));
            await house.turn();
          }
          return results(found);
        }),
    }),
    route({
      method: 'GET',
      path: '/api/v1/recipient-lists/:id',
      summary: 'a list, with its recipients when they are asked for',
      tag: TAG,
      access: ACCESS,
      params: Params,
      query: Type.Object({ show_recipients: Type.Optional(Type.Boolean()) }),
      refuses: [404],
      answer: { status: 200, summary: 'the list', schema: Type.Object({ results: Type.Unknown() }) },
      run: ({ params, query }) =>
        answered((): Answer<never> => {
          const entry = find(params.id);
          // What is sent is as the schema says, piece by piece.
          if (query.show_recipients !== true) return results(shown(entry)) as Answer<never>;
          return { kind: 'pieces', status: 200, type: 'application/json', pieces: pieces(house, entry) };
        }),
    }),
    route({
      method: 'PUT',
      path: '/api/v1/recipient-lists/:id',
      summary: 'changes a list; recipients take the place of all that were in it',
      tag: TAG,
      access: ACCESS,
      needsRoom: true,
      mostBytes: MOST_BYTES,
      params: Params,
      query: Query,
      body: Type.Object({ ...Edit, recipients: Type.Optional(Recipients) }),
      refuses: [400, 404, 409, 422],
      answer: { status: 200, summary: 'it is changed', schema: Written },
      run: ({ params, body, query }) => {
        const most = query.num_rcpt_errors ?? body.num_rcpt_errors ?? 0;
        return written(() => lists.update(find(params.id), edited(body), most), most);
      },
    }),
    route({
      method: 'DELETE',
      path: '/api/v1/recipient-lists/:id',
      summary: 'removes a list',
      tag: TAG,
      access: ACCESS,
      params: Params,
      refuses: [404, 409],
      answer: { status: 204, summary: 'it is gone' },
      run: ({ params }) =>
        answered(async () => {
          await lists.remove(find(params.id));
          return empty();
        }),
    }),
  ];
}

function edited<T extends { readonly attributes?: Record<string, unknown> | undefined }>(
  body: T,
): T & { readonly attributes?: Fields | undefined } {
  if (body.attributes !== undefined && Buffer.byteLength(JSON.stringify(body.attributes)) > LONGEST_ATTRIBUTES)
    throw new Trouble('1300', `attributes has more than ${LONGEST_ATTRIBUTES} bytes`);
  // It comes out of JSON, so it is a tree of values that templates know.
  return body as T & { readonly attributes?: Fields | undefined };
}

/** @param most errors that are told */
async function written(
  work: () => Promise<ListOutcome>,
  most: number,
): Promise<Answer<Static<typeof Written>> | Refusal> {
  return answered(async () => {
    try {
      const { entry, rejected, errors } = await work();
      const { id, name, recipients } = entry;
      const counts = { id, name, total_accepted_recipients: recipients, total_rejected_recipients: rejected };
      const note = { message: 'list created, but with validation errors', code: '5000' };
      // It is as the schema of the answer says.
      return partly(counts, errors.slice(0, most), note) as Answer<Static<typeof Written>>;
    } catch (error) {
      if (error instanceof NobodyLeft) return refusals(refused(error), ...error.errors.map(refused));
      throw error;
    }
  });
}

async function* pieces(house: ApiHouse, entry: ListEntry): AsyncGenerator<string> {
  const head = JSON.stringify(shown(entry));
  yield `{"results":${head.slice(0, -1)},"recipients":[`;
  let first = true;
  for await (const page of house.lists.recipients(entry)) {
    yield (first ? '' : ',') + JSON.stringify(page).slice(1, -1);
    first = false;
  }
  yield ']}}';
}

const shown = ({ id, name, description, attributes, recipients }: ListEntry) => ({
  id,
  name,
  description,
  attributes,
  total_accepted_recipients: recipients,
});
