import { type Static, Type } from 'typebox';
import { millis } from '../base/index.ts';
import { parseAddressText } from '../compose/index.ts';
import { instantOf, SOURCES, type Suppression, type SuppressionType, Trouble } from '../generation/index.ts';
import { empty, json, type Route, refusal, results, route } from '../http/index.ts';
import type { ApiHouse } from './house.ts';
import { isoText } from './iso-text.ts';
import { answered } from './trouble.ts';

const TAG = 'suppression list';
const ACCESS = { kind: 'key', grant: 'suppression_lists/manage' } as const;
const MOST_BYTES = 50 * 1024 * 1024;
const MOST_ENTRIES = 10_000;
const USUAL_PAGE = 1000;

const Kind = Type.Union([Type.Literal('transactional'), Type.Literal('non_transactional')]);
const Entry = {
  type: Type.Optional(Kind),
  transactional: Type.Optional(Type.Boolean({ description: 'old form of type' })),
  non_transactional: Type.Optional(Type.Boolean({ description: 'old form of type' })),
  description: Type.Optional(Type.String({ maxLength: 1024 })),
  list_id: Type.Optional(Type.String({ maxLength: 255 })),
};
const EntrySchema = Type.Object(Entry);
const Named = Type.Object({ recipient: Type.Optional(Type.String()), email: Type.Optional(Type.String()), ...Entry });
const Params = Type.Object({ email: Type.String() });
const Query = Type.Object({
  from: Type.Optional(Type.String({ description: 'updated at or after, ISO 8601; UTC without a zone' })),
  to: Type.Optional(Type.String({ description: 'updated before, ISO 8601; UTC without a zone' })),
  domain: Type.Optional(Type.String()),
  sources: Type.Optional(Type.String({ description: 'joined by commas' })),
  types: Type.Optional(Type.String({ description: 'joined by commas' })),
  description: Type.Optional(Type.String({ description: 'a part of it' })),
  list_id: Type.Optional(Type.String()),
  cursor: Type.Optional(Type.String({ description: 'initial, or that of the link to the next page' })),
  per_page: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000, description: 'old form of per_page' })),
  page: Type.Optional(Type.Integer({ minimum: 1 })),
});

type New = Omit<Suppression, 'created' | 'updated'>;

/** Who is not to be written to (spec/http-api 9). */
export function suppressionRoutes(house: ApiHouse): readonly Route[] {
  const list = house.suppressions;
  const put = (entries: readonly New[]) => {
    list.put(entries, isoText(house.clock.date()));
    return results({ message: 'Suppression List successfully updated' });
  };
  const Message = Type.Object({ results: Type.Object({ message: Type.String() }) });
  return [
    ...(['PUT', 'POST'] as const).map((method) =>
      route({
        method,
        path: '/api/v1/suppression-list',
        summary: 'adds and changes entries, all of them or none',
        tag: TAG,
        access: ACCESS,
        needsRoom: true,
        mostBytes: MOST_BYTES,
        body: Type.Object({ recipients: Type.Array(Named, { minItems: 1, maxItems: MOST_ENTRIES }) }),
        refuses: [400, 422],
        answer: { status: 200, summary: 'they are', schema: Message },
        run: ({ body }) =>
          answered(() => {
            const wrong: string[] = [];
            const entries = body.recipients.flatMap((each) => {
              const written = each.recipient ?? each.email ?? '';
              const parsed = parseAddressText(written);
              if (typeof parsed !== 'string') return entriesOf(parsed.key, each);
              wrong.push(shown(written));
              return [];
            });
            if (wrong.length > 0)
              return refusal(
                '1200',
                `these are no addresses, and nothing was changed: ${wrong.slice(0, 20).join(', ')}`,
              );
            return put(entries);
          }),
      }),
    ),
    route({
      method: 'PUT',
      path: '/api/v1/suppression-list/:email',
      summary: 'adds or changes an entry',
      tag: TAG,
      access: ACCESS,
      needsRoom: true,
      params: Params,
      body: EntrySchema,
      refuses: [400, 422],
      answer: { status: 200, summary: 'it is', schema: Message },
      run: ({ params, body }) =>
        answered(() => {
          const parsed = parseAddressText(params.email);
          if (typeof parsed === 'string') return refusal('1200', `${shown(params.email)} is no address: ${parsed}`);
          return put(entriesOf(parsed.key, body));
        }),
    }),
    route({
      method: 'GET',
      path: '/api/v1/suppression-list/summary',
      summary: 'how many entries there are of each source',
      tag: TAG,
      access: ACCESS,
      answer: {
        status: 200,
        summary: 'the counts',
        schema: Type.Object({ results: Type.Record(Type.String(), Type.Integer()) }),
      },
      run: () =>
        answered(async () => {
          const counts = new Map<string, number>(SOURCES.map((source) => [nameOf(source), 0]));
          let total = 0;
          for (const page of list.pages()) {
            for (const { source } of page) counts.set(nameOf(source), (counts.get(nameOf(source)) ?? 0) + 1);
            total += page.length;
            await house.turn();
          }
          return results({ ...Object.fromEntries(counts), total });
        }),
    }),
    route({
      method: 'GET',
      path: '/api/v1/suppression-list/:email',
      summary: 'the entries of an address',
      tag: TAG,
      access: ACCESS,
      params: Params,
      query: Type.Object({ types: Type.Optional(Type.String()), list_id: Type.Optional(Type.String()) }),
      refuses: [404],
      answer: { status: 200, summary: 'the entries', schema: Type.Object({ results: Type.Array(Type.Unknown()) }) },
      run: ({ params, query }) =>
        answered(() => {
          const found = list
            .of(keyOf(params.email))
            .filter((each) => query.types === undefined || query.types.split(',').includes(each.type))
            .filter((each) => query.list_id === undefined || query.list_id.toLowerCase() === each.list_id);
          if (found.length === 0) return refusal('1600', 'Recipient could not be found');
          return results(found.map(shownEntry));
        }),
    }),
    route({
      method: 'DELETE',
      path: '/api/v1/suppression-list/:email',
      summary: 'removes the entries of an address',
      tag: TAG,
      access: ACCESS,
      params: Params,
      query: Type.Object({
        list_id: Type.Optional(Type.String({ description: 'of this list only; empty: of no list' })),
      }),
      body: Type.Object({ type: Type.Optional(Kind) }),
      optionalBody: true,
      refuses: [403, 404],
      answer: { status: 204, summary: 'they are gone' },
      run: ({ params, query, body }) =>
        answered(() => {
          const type = body.type;
          const found = list
            .of(keyOf(params.email))
            .filter((each) => type === undefined || each.type === type)
            .filter((each) => query.list_id === undefined || query.list_id.toLowerCase() === each.list_id);
          if (found.length === 0) return refusal('1600', 'Recipient could not be found');
          if (found.some(({ source }) => source === 'Compliance'))
            return refusal('1100', 'an entry for compliance cannot be removed');
          list.remove(found);
          return empty();
        }),
    }),
    route({
      method: 'GET',
      path: '/api/v1/suppression-list',
      summary: 'entries by what they have',
      tag: TAG,
      access: ACCESS,
      query: Query,
      refuses: [400],
      answer: {
        status: 200,
        summary: 'a page of them',
        schema: Type.Object({
          results: Type.Array(Type.Unknown()),
          links: Type.Array(Type.Unknown()),
          total_count: Type.Integer(),
        }),
      },
      run: ({ query }) =>
        answered(async () => {
          const wrong = wrongIn(query);
          if (wrong !== undefined) return refusal('1200', `parameter ${wrong}`);
          const wanted = { ...query, from: timeText(query.from), to: timeText(query.to) };
          const perPage = query.per_page ?? query.limit ?? USUAL_PAGE;
          const page = pageOf(query.cursor) ?? query.page ?? 1;
          const found: unknown[] = [];
          let count = 0;
          for (const entries of list.pages()) {
            for (const entry of entries) {
              if (!fits(entry, wanted)) continue;
              if (count >= (page - 1) * perPage && count < page * perPage) found.push(shownEntry(entry));
              count++;
            }
            await house.turn();
          }
          const more = count > page * perPage;
          const links = more ? [{ href: `/api/v1/suppression-list?${nextQuery(query, page + 1)}`, rel: 'next' }] : [];
          return json({ results: found, links, total_count: count });
        }),
    }),
  ];
}

function entriesOf(recipient: string, each: Static<typeof EntrySchema>): readonly New[] {
  const types: SuppressionType[] = [];
  if (each.type !== undefined) types.push(each.type);
  else {
    if (each.transactional === true) types.push('transactional');
    if (each.non_transactional === true) types.push('non_transactional');
  }
  if (types.length === 0)
    throw new Trouble('1400', `type of ${shown(recipient)} is required: transactional or non_transactional`);
  return types.map((type) => ({
    recipient,
    type,
    list_id: (each.list_id ?? '').toLowerCase(),
    source: 'Manually Added',
    description: each.description ?? '',
  }));
}

/** @returns which parameter would find nothing, or all, only because it is none of those that there are */
function wrongIn({ from, to, types, cursor }: Static<typeof Query>): string | undefined {
  for (const [name, time] of Object.entries({ from, to }))
    if (time !== undefined && timeText(time) === undefined) return `${name} is no time, as 2030-01-31T08:00:00+01:00`;
  if (types?.split(',').some((type) => type !== 'transactional' && type !== 'non_transactional') === true)
    return 'types takes transactional and non_transactional, joined by commas';
  return cursor === undefined || cursor === 'initial' || CURSOR.test(cursor) ? undefined : 'cursor is none of ours';
}

/** @returns the time as entries have it, so that texts compare as times do. A plus that came unescaped is a blank by now. */
function timeText(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const whole = text.replace(' ', '+');
  const at = instantOf(whole) ?? instantOf(`${whole}Z`) ?? instantOf(`${whole}T00:00Z`);
  return at === undefined ? undefined : isoText(millis(at));
}

interface Wanted extends Omit<Static<typeof Query>, 'from' | 'to'> {
  readonly from: string | undefined;
  readonly to: string | undefined;
}

function fits(entry: Suppression, query: Wanted): boolean {
  const { from, to, domain, sources, types, description, list_id: listId } = query;
  if (from !== undefined && entry.updated < from) return false;
  if (to !== undefined && entry.updated >= to) return false;
  if (domain !== undefined && !entry.recipient.endsWith(`@${domain.toLowerCase()}`)) return false;
  if (sources !== undefined && !sources.split(',').includes(entry.source)) return false;
  if (types !== undefined && !types.split(',').includes(entry.type)) return false;
  if (description !== undefined && !entry.description.includes(description)) return false;
  return listId === undefined || listId.toLowerCase() === entry.list_id;
}

const CURSOR = /^p(\d{1,9})$/;

/** Cursors are page numbers in disguise; `initial` is the first. */
const pageOf = (cursor: string | undefined): number | undefined => {
  if (cursor === undefined) return undefined;
  const page = Number(CURSOR.exec(cursor)?.[1] ?? 1);
  return Math.max(page, 1);
};

function nextQuery(query: Static<typeof Query>, page: number): string {
  const { cursor, page: _, ...rest } = query;
  const parts = { ...rest, ...(cursor === undefined ? { page } : { cursor: `p${page}` }) };
  return Object.entries(parts)
    .map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`)
    .join('&');
}

/** With the old booleans, which clients still read. */
const shownEntry = (entry: Suppression) => ({
  ...entry,
  transactional: entry.type === 'transactional',
  non_transactional: entry.type === 'non_transactional',
});

const nameOf = (source: string): string => source.toLowerCase().replaceAll(' ', '_');

function keyOf(email: string): string {
  const parsed = parseAddressText(email);
  return typeof parsed === 'string' ? email.trim().toLowerCase() : parsed.key;
}

const shown = (text: string): string =>
  text
    .trim()
    .replace(/[^\x20-\x7e]/g, '?')
    .slice(0, 100);
